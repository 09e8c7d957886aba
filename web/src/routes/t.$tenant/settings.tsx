import { createFileRoute } from '@tanstack/react-router';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/settings')({ component: Settings });

function Settings() {
  return <Page title={t.shell.nav.settings}>{null}</Page>;
}
