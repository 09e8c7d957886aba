import { createFileRoute } from '@tanstack/react-router';
import { runQuery } from '~/features/runs/queries';
import { RunPage } from '~/features/runs/RunPage';

export const Route = createFileRoute('/t/$tenant/runs/$run')({
  loader: ({ context: { client }, params }) => client.ensureQueryData(runQuery(params.tenant, params.run)),
  component: Component,
});

function Component() {
  const { run } = Route.useParams();
  return <RunPage key={run} id={run} />;
}
