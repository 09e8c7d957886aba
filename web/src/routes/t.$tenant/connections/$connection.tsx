import { createFileRoute } from '@tanstack/react-router';
import { ConnectionPage } from '~/features/connections/ConnectionPage';
import { connectionQuery } from '~/features/connections/queries';

export const Route = createFileRoute('/t/$tenant/connections/$connection')({
  loader: ({ context: { client }, params }) =>
    client.ensureQueryData(connectionQuery(params.tenant, params.connection)),
  component: Component,
});

function Component() {
  const { connection } = Route.useParams();
  return <ConnectionPage key={connection} id={connection} />;
}
