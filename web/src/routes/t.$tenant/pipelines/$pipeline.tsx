import { createFileRoute } from '@tanstack/react-router';
import { PipelinePage } from '~/features/pipelines/PipelinePage';
import { pipelineQuery } from '~/features/pipelines/queries';

export const TABS = ['overview', 'streams', 'runs', 'state', 'revisions', 'definition'] as const;
export type Tab = (typeof TABS)[number];

export const Route = createFileRoute('/t/$tenant/pipelines/$pipeline')({
  validateSearch: (search): { tab?: Tab } => ({ tab: TABS.find(tab => tab === search.tab) }),
  loader: ({ context: { client }, params }) => client.ensureQueryData(pipelineQuery(params.tenant, params.pipeline)),
  component: Component,
});

function Component() {
  const { pipeline } = Route.useParams();
  const { tab } = Route.useSearch();
  const navigate = Route.useNavigate();
  return (
    <PipelinePage
      key={pipeline}
      id={pipeline}
      tab={tab ?? 'overview'}
      open={next => void navigate({ search: { tab: next === 'overview' ? undefined : (next as Tab) }, replace: true })}
    />
  );
}
