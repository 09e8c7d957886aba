// Who is signed in, and in which tenant a page is.
import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { ApiError, answer, api } from '~/api/client';
import type { Me, Role, TenantRole } from '~/api/schema.gen';
import { may, type Operation } from './access';

/** Who is signed in; nobody is `null`. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: 60_000,
  queryFn: async (): Promise<Me | null> => {
    try {
      return await answer(api.GET('/v1/session'));
    } catch (error) {
      if (error instanceof ApiError && error.kind === 'unauthenticated') return null;
      throw error;
    }
  },
});

export const setupQuery = queryOptions({
  queryKey: ['setup'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => answer(api.GET('/v1/setup')),
});

export const providersQuery = queryOptions({
  queryKey: ['providers'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => answer(api.GET('/v1/providers')),
});

const LAST = 'sluice-tenant';

/** The tenant that somebody is led to who names none: the one used last, or the first. */
export function usualTenant(me: Me): TenantRole | undefined {
  const last = localStorage.getItem(LAST);
  return me.tenants.find(tenant => tenant.id === last) ?? me.tenants[0];
}

export function rememberTenant(id: string): void {
  localStorage.setItem(LAST, id);
}

const tenantRoute = getRouteApi('/t/$tenant');

export interface Here {
  /** The tenant's id, for addresses. */
  tenant: string;
  name: string;
  role: Role;
  me: Me;
  may: (operation: Operation) => boolean;
}

/** The tenant of the page and what its visitor may do there. Only below `/t/$tenant`. */
export function useHere(): Here {
  const { tenant } = tenantRoute.useParams();
  const { data: me } = useSuspenseQuery(meQuery);
  const own = me?.tenants.find(each => each.id === tenant);
  if (!me || !own) throw new ApiError('not-found', { type: 'about:blank', title: '', status: 404, detail: '' });
  return { tenant, name: own.name, role: own.role, me, may: operation => may(own.role, operation) };
}
