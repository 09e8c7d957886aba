import { Stack } from '@mantine/core';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Page } from '~/ui/Page';
import { TenantPanel } from './TenantPanel';
import { WebhookPanel } from './WebhookPanel';

export function SettingsPage() {
  const { may } = useHere();
  return (
    <Page title={t.settings.title} lead={t.settings.lead}>
      <Stack maw={760}>
        <TenantPanel />
        {may('webhook-secret') && <WebhookPanel />}
      </Stack>
    </Page>
  );
}
