import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { all, key } from '~/api/query';

/** Pipelines with starts that are asked for; as many as a page can show anything useful of. */
const MOST = 5_000;

/** What starts by itself in the week to come. Pipelines change it, so it is found stale with them. */
export const calendarQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, 'pipelines', 'calendar'),
    staleTime: 60_000,
    queryFn: () =>
      all(
        after =>
          answer(
            api.GET('/v1/tenants/{tenant}/calendar', {
              params: { path: { tenant }, query: { days: 7, after, limit: 200 } },
            }),
          ),
        MOST,
      ),
  });
