import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';

/** How every pipeline of the tenant stands. Runs change it, so it is found stale with them. */
export const summaryQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, 'runs', 'summary'),
    refetchInterval: 30_000,
    queryFn: () =>
      answer(api.GET('/v1/tenants/{tenant}/summary', { params: { path: { tenant }, query: { days: 14 } } })),
  });
