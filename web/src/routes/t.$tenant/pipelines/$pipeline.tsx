import { createFileRoute } from '@tanstack/react-router';
import { PipelinePage } from '~/features/pipelines/PipelinePage';
import { pipelineQuery } from '~/features/pipelines/queries';
import { TABS, type Tab } from '~/features/pipelines/tabs';

export const Route = createFileRoute('/t/$tenant/pipelines/$pipeline')({
  validateSearch: (search): { tab?: Tab } => ({ tab: TABS.find(tab => tab === search.tab) }),
  loader: ({ context: { client }, params }) => client.ensureQueryData(pipelineQuery(params.tenant, params.pipeline)),
  component: Component,
});

function Component() {
  const { pipeline } = Route.useParams();
  const { tab } = Route.useSearch();
  const navigate = Route.useNavigate();
  const open = (next: Tab) => void navigate({ search: { tab: next === 'overview' ? undefined : next }, replace: true });
  return <PipelinePage key={pipeline} id={pipeline} tab={tab ?? 'overview'} open={open} />;
}
