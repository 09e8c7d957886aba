import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { answer, api, ifMatch, once } from '~/api/client';
import { all, key, MOST_PAGES } from '~/api/query';
import type { DraftBody, StreamsView } from '~/api/schema.gen';

const path = (tenant: string, draft: string) => ({ path: { tenant, draft } });

export const draftsQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, 'drafts', 'list'),
    queryFn: () =>
      answer(api.GET('/v1/tenants/{tenant}/drafts', { params: { path: { tenant }, query: { limit: 50 } } })),
  });

/** Read once when the wizard opens; from then on the page knows better than the service. */
export const draftQuery = (tenant: string, draft: string) =>
  queryOptions({
    queryKey: key(tenant, 'drafts', 'one', draft),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => answer(api.GET('/v1/tenants/{tenant}/drafts/{draft}', { params: path(tenant, draft) })),
  });

export const beginDraft = (tenant: string, body: DraftBody) =>
  answer(api.POST('/v1/tenants/{tenant}/drafts', { params: { path: { tenant }, header: once() as never }, body }));

export const keepDraft = (tenant: string, draft: string, revision: number, body: DraftBody) =>
  answer(
    api.PUT('/v1/tenants/{tenant}/drafts/{draft}', {
      params: { ...path(tenant, draft), header: ifMatch(revision) },
      body,
    }),
  );

export const deleteDraft = (tenant: string, draft: string, revision: number) =>
  answer(
    api.DELETE('/v1/tenants/{tenant}/drafts/{draft}', {
      params: { ...path(tenant, draft), header: ifMatch(revision) },
    }),
  );

export const finishDraft = (tenant: string, draft: string, revision: number) =>
  answer(
    api.POST('/v1/tenants/{tenant}/drafts/{draft}/finish', {
      params: { ...path(tenant, draft), header: { ...ifMatch(revision), ...once() } as never },
    }),
  );

export const planDraft = (tenant: string, draft: string) =>
  answer(api.POST('/v1/tenants/{tenant}/drafts/{draft}/plan', { params: path(tenant, draft) }));

export const sampleDraft = (tenant: string, draft: string, stream: unknown, rows: number) =>
  answer(
    api.POST('/v1/tenants/{tenant}/drafts/{draft}/sample', {
      params: path(tenant, draft),
      body: { stream: stream as Record<string, never>, rows },
    }),
  );

export const readStreams = (tenant: string, draft: string, contains: string, after?: string, refresh?: boolean) =>
  answer(
    api.GET('/v1/tenants/{tenant}/drafts/{draft}/streams', {
      params: { ...path(tenant, draft), query: { contains: contains || undefined, after, limit: 200, refresh } },
    }),
  );

/** What may be chosen; `source` says what is read from, so that another source is asked anew. */
export const streamsQuery = (tenant: string, draft: string, source: string, contains: string) =>
  infiniteQueryOptions({
    queryKey: key(tenant, 'drafts', 'streams', draft, source, contains),
    queryFn: ({ pageParam }) => readStreams(tenant, draft, contains, pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: StreamsView, pages) => (pages.length < MOST_PAGES ? (last.next ?? undefined) : undefined),
    staleTime: 10 * 60_000,
    retry: false,
  });

export const timeZonesQuery = queryOptions({
  queryKey: ['time-zones'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => answer(api.GET('/v1/time-zones')),
});

export const schedulePreviewQuery = (tenant: string, schedule: unknown) =>
  queryOptions({
    queryKey: key(tenant, 'previews', 'schedule', schedule),
    staleTime: 60_000,
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: () =>
      answer(
        api.POST('/v1/tenants/{tenant}/previews/schedule', {
          params: { path: { tenant } },
          body: { schedule: schedule as Record<string, never> },
        }),
      ),
  });

export interface NamedStream {
  id: string;
  table?: string;
  columns: string[];
  rename: Record<string, string>;
  catalog: boolean;
}

export const namesQuery = (tenant: string, streams: NamedStream[]) =>
  queryOptions({
    queryKey: key(tenant, 'previews', 'names', streams),
    staleTime: 60_000,
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: () =>
      answer(api.POST('/v1/tenants/{tenant}/previews/names', { params: { path: { tenant } }, body: { streams } })),
  });

/** Every stream that matches, for choosing them at once. */
export const everyStream = (tenant: string, draft: string, contains: string) =>
  all(after => readStreams(tenant, draft, contains, after), 20_000);
