import { answer, api } from '~/api/client';
import { key, pages } from '~/api/query';

/** Which entries are looked for; days are those of the reader's calendar. */
export interface Filter {
  contains: string;
  actor: string | null;
  /** The first day, `YYYY-MM-DD`. */
  from: string;
  /** The last day. */
  to: string;
}

export const isEmpty = (filter: Filter): boolean =>
  filter.contains.trim() === '' && !filter.actor && filter.from === '' && filter.to === '';

/** The moment at which a day of the reader's calendar begins, some days later. */
function beginOf(day: string, later: number): string | undefined {
  const [year, month, date] = day.split('-').map(Number);
  if (!year || !month || !date) return undefined;
  return new Date(year, month - 1, date + later).toISOString();
}

/** What the service is asked for. */
export function asked(filter: Filter) {
  return {
    contains: filter.contains.trim() || undefined,
    actor: filter.actor ?? undefined,
    from: beginOf(filter.from, 0),
    until: beginOf(filter.to, 1),
  };
}

export const auditQuery = (tenant: string, filter: Filter) => {
  const which = asked(filter);
  return pages(key(tenant, 'audit', which), after =>
    answer(
      api.GET('/v1/tenants/{tenant}/audit', { params: { path: { tenant }, query: { ...which, after, limit: 100 } } }),
    ),
  );
};
