import { createFileRoute } from '@tanstack/react-router';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/audit')({ component: Audit });

function Audit() {
  return <Page title={t.shell.nav.audit}>{null}</Page>;
}
