import { useHere } from '~/session/session';
import { t } from '~/texts';
import { TextLink } from '~/ui/links';
import { Page } from '~/ui/Page';
import { ConnectorCards } from './ConnectorCards';
import { Upload } from './Upload';
import { VersionList } from './VersionList';

/** The connectors that there are, and the versions that the tenant has uploaded. */
export function ConnectorsPage() {
  const { tenant } = useHere();
  return (
    <Page title={t.connectors.title} lead={t.connectors.lead} actions={<Upload />}>
      <ConnectorCards
        link={({ name }, title) => (
          <TextLink to="/t/$tenant/connectors/$name" params={{ tenant, name }} fw={600}>
            {title}
          </TextLink>
        )}
      />
      <VersionList />
    </Page>
  );
}
