import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { all, key, pages } from '~/api/query';

export const membersQuery = (tenant: string) =>
  queryOptions({
    queryKey: key(tenant, 'members', 'all'),
    staleTime: 60_000,
    queryFn: () =>
      all(after =>
        answer(api.GET('/v1/tenants/{tenant}/members', { params: { path: { tenant }, query: { after, limit: 200 } } })),
      ),
  });

export const invitationsQuery = (tenant: string) =>
  pages(key(tenant, 'invitations'), after =>
    answer(api.GET('/v1/tenants/{tenant}/invitations', { params: { path: { tenant }, query: { after, limit: 50 } } })),
  );
