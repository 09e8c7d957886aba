// What TanStack Query needs to know about the API: what is tried again, how pages of lists follow each other, how keys are made.
import { type InfiniteData, infiniteQueryOptions, QueryClient } from '@tanstack/react-query';
import { ApiError } from './problem';
import { reachability } from './reachability';

export function createQueryClient(): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, error) => error instanceof ApiError && error.passes && failures < 2,
        // What the browser says of the network is not what matters: the service may be on the same machine.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  });
  reachability.onReturn(() => void client.invalidateQueries());
  return client;
}

/** The key of something in a tenant; `subject` comes first so that all of one kind is found stale at once. */
export function key(tenant: string, subject: string, ...rest: unknown[]): readonly unknown[] {
  return ['tenant', tenant, subject, ...rest];
}

export interface Page<T> {
  items: T[];
  next?: string | null;
}

/** No list is followed further: a source says itself what comes after a page of its streams. */
export const MOST_PAGES = 1_000;

/** A list of the API, page by page. */
export function pages<T>(queryKey: readonly unknown[], read: (after?: string) => Promise<Page<T>>) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Page<T>) => last.next ?? undefined,
  });
}

export function itemsOf<T>(data: InfiniteData<Page<T>> | undefined): T[] {
  return data?.pages.flatMap(page => page.items) ?? [];
}

/** Every item of a list, for choosing among them; stops at `most`, which is then said by `whole`. */
export async function all<T>(read: (after?: string) => Promise<Page<T>>, most = 2_000) {
  const items: T[] = [];
  let after: string | undefined;
  let pages = 0;
  do {
    const page = await read(after);
    items.push(...page.items);
    after = page.next ?? undefined;
    pages += 1;
  } while (after !== undefined && items.length < most && pages < MOST_PAGES);
  return { items, whole: after === undefined };
}
