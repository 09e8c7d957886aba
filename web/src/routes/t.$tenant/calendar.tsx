import { createFileRoute } from '@tanstack/react-router';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/calendar')({ component: Calendar });

function Calendar() {
  return <Page title={t.shell.nav.calendar}>{null}</Page>;
}
