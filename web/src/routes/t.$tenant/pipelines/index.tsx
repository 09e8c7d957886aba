import { createFileRoute } from '@tanstack/react-router';
import { PipelineList } from '~/features/pipelines/PipelineList';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/pipelines/')({ component: Pipelines });

function Pipelines() {
  return (
    <Page title={t.pipelines.title} lead={t.pipelines.lead}>
      <PipelineList />
    </Page>
  );
}
