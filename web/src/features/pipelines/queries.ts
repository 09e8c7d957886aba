import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { all, key, pages } from '~/api/query';

export interface PipelineFilter {
  connection?: string;
  /** What their names contain. */
  contains?: string;
}

export const pipelinesQuery = (tenant: string, filter: PipelineFilter = {}) =>
  pages(key(tenant, 'pipelines', 'list', filter), after =>
    answer(
      api.GET('/v1/tenants/{tenant}/pipelines', {
        params: { path: { tenant }, query: { ...filter, after, limit: 50 } },
      }),
    ),
  );

export const pipelineQuery = (tenant: string, pipeline: string) =>
  queryOptions({
    queryKey: key(tenant, 'pipelines', 'one', pipeline),
    queryFn: () =>
      answer(api.GET('/v1/tenants/{tenant}/pipelines/{pipeline}', { params: { path: { tenant, pipeline } } })),
  });

export const scheduleQuery = (tenant: string, pipeline: string) =>
  queryOptions({
    queryKey: key(tenant, 'pipelines', 'schedule', pipeline),
    staleTime: 60_000,
    queryFn: () =>
      answer(api.GET('/v1/tenants/{tenant}/pipelines/{pipeline}/schedule', { params: { path: { tenant, pipeline } } })),
  });

/** Every pipeline of the tenant (the first 2,000), for names and for choosing. */
export const allPipelinesQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, 'pipelines', 'all'),
    staleTime: 60_000,
    queryFn: () =>
      all(after =>
        answer(
          api.GET('/v1/tenants/{tenant}/pipelines', { params: { path: { tenant }, query: { after, limit: 200 } } }),
        ),
      ),
  });
