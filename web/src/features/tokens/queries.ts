import { answer, api } from '~/api/client';
import { key, pages } from '~/api/query';
import type { TokenBody } from '~/api/schema.gen';

/** Tokens of one's own, or those of the tenant's services. */
export type TokenKind = 'own' | 'service';

export const tokensQuery = (tenant: string, kind: TokenKind) =>
  pages(key(tenant, 'tokens', kind), after => {
    const params = { path: { tenant }, query: { after, limit: 50 } };
    return kind === 'own'
      ? answer(api.GET('/v1/tenants/{tenant}/tokens', { params }))
      : answer(api.GET('/v1/tenants/{tenant}/service-tokens', { params }));
  });

export function makeToken(tenant: string, kind: TokenKind, body: TokenBody) {
  const params = { path: { tenant } };
  return kind === 'own'
    ? answer(api.POST('/v1/tenants/{tenant}/tokens', { params, body }))
    : answer(api.POST('/v1/tenants/{tenant}/service-tokens', { params, body }));
}

export function revokeToken(tenant: string, kind: TokenKind, token: string) {
  const params = { path: { tenant, token } };
  return kind === 'own'
    ? answer(api.DELETE('/v1/tenants/{tenant}/tokens/{token}', { params }))
    : answer(api.DELETE('/v1/tenants/{tenant}/service-tokens/{token}', { params }));
}
