import { createFileRoute } from '@tanstack/react-router';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/members')({ component: Members });

function Members() {
  return <Page title={t.shell.nav.members}>{null}</Page>;
}
