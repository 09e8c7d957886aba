import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { key, pages } from '~/api/query';

export interface RunFilter {
  pipeline?: string;
  state?: string;
}

export const runsQuery = (tenant: string, filter: RunFilter = {}, limit = 50) => ({
  ...pages(key(tenant, 'runs', 'list', filter, limit), after =>
    answer(api.GET('/v1/tenants/{tenant}/runs', { params: { path: { tenant }, query: { ...filter, after, limit } } })),
  ),
  // A list of runs is looked at to see how they go.
  refetchInterval: 10_000,
});

export const runQuery = (tenant: string, run: string) =>
  queryOptions({
    queryKey: key(tenant, 'runs', 'one', run),
    queryFn: () => answer(api.GET('/v1/tenants/{tenant}/runs/{run}', { params: { path: { tenant, run } } })),
  });
