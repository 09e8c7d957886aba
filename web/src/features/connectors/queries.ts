import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { all, key } from '~/api/query';

/** Every connector of the service, with its configuration's schema. */
export const connectorsQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, 'connectors', 'all'),
    staleTime: 60_000,
    queryFn: () =>
      all(after =>
        answer(
          api.GET('/v1/tenants/{tenant}/connectors', { params: { path: { tenant }, query: { after, limit: 200 } } }),
        ),
      ),
  });

export const connectorQuery = (tenant: string, name: string) =>
  queryOptions({
    queryKey: key(tenant, 'connectors', 'one', name),
    queryFn: () => answer(api.GET('/v1/tenants/{tenant}/connectors/{name}', { params: { path: { tenant, name } } })),
  });
