import { IconPlus } from '@tabler/icons-react';
import { createFileRoute } from '@tanstack/react-router';
import { ConnectionList } from '~/features/connections/ConnectionList';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { ButtonLink } from '~/ui/links';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/connections/')({ component: Connections });

function Connections() {
  const { tenant, may } = useHere();
  const make = may('connections-write') && (
    <ButtonLink to="/t/$tenant/connections/new" params={{ tenant }} leftSection={<IconPlus size={16} aria-hidden />}>
      {t.connections.make}
    </ButtonLink>
  );
  return (
    <Page title={t.connections.title} lead={t.connections.lead} actions={make}>
      <ConnectionList make={make} />
    </Page>
  );
}
