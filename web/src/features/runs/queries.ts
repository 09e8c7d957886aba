import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { key, pages } from '~/api/query';
import type { Page_LogView } from '~/api/schema.gen';

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

/** The log of a run, page after page; that of one under way is asked for anew now and then. */
export const logQuery = (tenant: string, run: string, grows: boolean) => ({
  ...pages(key(tenant, 'runs', 'log', run), after => {
    const params = { path: { tenant, run }, query: { after, limit: 200 } };
    // Only a download is text.
    return answer(api.GET('/v1/tenants/{tenant}/runs/{run}/logs', { params })) as Promise<Page_LogView>;
  }),
  // All pages are read again, so a long log is asked for less often.
  refetchInterval: (query: { state: { data?: { pages: unknown[] } } }) =>
    grows ? Math.min(30_000, 3_000 * (query.state.data?.pages.length ?? 1)) : (false as const),
});
