import { createFileRoute } from '@tanstack/react-router';
import { NewPage } from '~/features/connections/NewPage';
import { connectorQuery } from '~/features/connectors/queries';

export const Route = createFileRoute('/t/$tenant/connections/new')({
  validateSearch: (search): { connector?: string } => ({
    connector: typeof search.connector === 'string' ? search.connector : undefined,
  }),
  loaderDeps: ({ search: { connector } }) => ({ connector }),
  loader: ({ context: { client }, params, deps: { connector } }) =>
    connector ? client.ensureQueryData(connectorQuery(params.tenant, connector)) : undefined,
  component: Component,
});

function Component() {
  const { connector } = Route.useSearch();
  return <NewPage connector={connector} />;
}
