import { createFileRoute } from '@tanstack/react-router';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/account')({ component: Account });

function Account() {
  return <Page title={t.shell.nav.account}>{null}</Page>;
}
