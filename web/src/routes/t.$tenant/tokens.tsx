import { createFileRoute } from '@tanstack/react-router';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/tokens')({ component: Tokens });

function Tokens() {
  return <Page title={t.shell.nav.tokens}>{null}</Page>;
}
