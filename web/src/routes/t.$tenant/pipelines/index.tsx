import { createFileRoute } from '@tanstack/react-router';
import { Import } from '~/features/pipelines/Import';
import { PipelineList } from '~/features/pipelines/PipelineList';
import { NewPipeline } from '~/features/shared/NewPipeline';
import { t } from '~/texts';
import { Page } from '~/ui/Page';

export const Route = createFileRoute('/t/$tenant/pipelines/')({ component: Pipelines });

function Pipelines() {
  const actions = (
    <>
      <Import />
      <NewPipeline label={t.pipelines.make} />
    </>
  );
  return (
    <Page title={t.pipelines.title} lead={t.pipelines.lead} actions={actions}>
      <PipelineList action={<NewPipeline label={t.home.beginAction} />} />
    </Page>
  );
}
