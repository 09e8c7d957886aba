import { Stack } from '@mantine/core';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { FactList } from '~/ui/FactList';
import { Page } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { PasswordPanel } from './PasswordPanel';
import { SessionsPanel } from './SessionsPanel';
import { TenantsPanel } from './TenantsPanel';

export function AccountPage() {
  const { me } = useHere();
  return (
    <Page title={t.account.title}>
      <Stack maw={860}>
        <Panel title={t.account.you}>
          <FactList
            facts={[
              [t.account.name, <bdi key="name">{me.user?.name}</bdi>],
              [t.account.email, me.user?.email],
            ]}
          />
        </Panel>
        <PasswordPanel />
        <SessionsPanel />
        <TenantsPanel />
      </Stack>
    </Page>
  );
}
