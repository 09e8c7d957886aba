import { createFileRoute } from '@tanstack/react-router';
import { VersionPage } from '~/features/connectors/VersionPage';
import { versionQuery } from '~/features/connectors/versions';

export const Route = createFileRoute('/t/$tenant/connector-versions/$sha256')({
  loader: ({ context: { client }, params }) => client.ensureQueryData(versionQuery(params.tenant, params.sha256)),
  component: Component,
});

function Component() {
  const { sha256 } = Route.useParams();
  return <VersionPage key={sha256} sha256={sha256} />;
}
