import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { all, key, pages } from '~/api/query';

export const connectionsQuery = (tenant: string, contains?: string) =>
  pages(key(tenant, 'connections', 'list', contains), after =>
    answer(
      api.GET('/v1/tenants/{tenant}/connections', {
        params: { path: { tenant }, query: { contains, after, limit: 50 } },
      }),
    ),
  );

export const connectionQuery = (tenant: string, connection: string) =>
  queryOptions({
    queryKey: key(tenant, 'connections', 'one', connection),
    queryFn: () =>
      answer(api.GET('/v1/tenants/{tenant}/connections/{connection}', { params: { path: { tenant, connection } } })),
  });

export const allConnectionsQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, 'connections', 'all'),
    staleTime: 60_000,
    queryFn: () =>
      all(after =>
        answer(
          api.GET('/v1/tenants/{tenant}/connections', { params: { path: { tenant }, query: { after, limit: 200 } } }),
        ),
      ),
  });

export const streamsQuery = (tenant: string, connection: string, contains: string) => ({
  ...pages(key(tenant, 'streams', connection, contains), after =>
    answer(
      api.GET('/v1/tenants/{tenant}/connections/{connection}/streams', {
        params: { path: { tenant, connection }, query: { contains: contains || undefined, after, limit: 100 } },
      }),
    ),
  ),
  staleTime: 5 * 60_000,
});

/** What the service offers the tenant. */
export const offersQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, 'offers'),
    staleTime: 60_000,
    queryFn: () => answer(api.GET('/v1/tenants/{tenant}/offers', { params: { path: { tenant } } })),
  });
