import { createFileRoute } from '@tanstack/react-router';
import { RunList } from '~/features/runs/RunList';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/')({ component: Home });

function Home() {
  return (
    <Page title={t.home.title} lead={t.home.lead}>
      <RunList filter={{}} />
    </Page>
  );
}
