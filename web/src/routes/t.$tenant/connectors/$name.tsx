import { createFileRoute } from '@tanstack/react-router';
import { ConnectorPage } from '~/features/connectors/ConnectorPage';
import { connectorQuery } from '~/features/connectors/queries';

export const Route = createFileRoute('/t/$tenant/connectors/$name')({
  loader: ({ context: { client }, params }) => client.ensureQueryData(connectorQuery(params.tenant, params.name)),
  component: Component,
});

function Component() {
  const { name } = Route.useParams();
  return <ConnectorPage key={name} name={name} />;
}
