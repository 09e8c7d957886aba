import { createFileRoute } from '@tanstack/react-router';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/connectors/')({ component: Connectors });

function Connectors() {
  return <Page title={t.shell.nav.connectors}>{null}</Page>;
}
