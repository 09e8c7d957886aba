import { createFileRoute } from '@tanstack/react-router';
import { ConnectionList } from '~/features/connections/ConnectionList';
import { NewPipeline } from '~/features/shared/NewPipeline';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/connections/')({ component: Connections });

function Connections() {
  return (
    <Page title={t.connections.title} lead={t.connections.lead}>
      <ConnectionList make={<NewPipeline label={t.home.beginAction} />} />
    </Page>
  );
}
