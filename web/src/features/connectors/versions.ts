import { queryOptions } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { key, pages } from '~/api/query';

/** Versions that the tenant has uploaded. */
export const versionsQuery = (tenant: string) =>
  pages(key(tenant, 'connectors', 'versions'), after =>
    answer(
      api.GET('/v1/tenants/{tenant}/connector-versions', { params: { path: { tenant }, query: { after, limit: 50 } } }),
    ),
  );

export const versionQuery = (tenant: string, sha256: string) =>
  queryOptions({
    queryKey: key(tenant, 'connectors', 'version', sha256),
    queryFn: () =>
      answer(api.GET('/v1/tenants/{tenant}/connector-versions/{sha256}', { params: { path: { tenant, sha256 } } })),
  });

/** Sends a component as it is, and what signs it. */
export async function upload(tenant: string, component: File, signature?: File) {
  const header = signature ? { 'Sluice-Signature': await base64(signature) } : {};
  return answer(
    api.POST('/v1/tenants/{tenant}/connector-versions', {
      params: { path: { tenant }, header },
      // The document calls bytes a text.
      body: component as unknown as string,
      bodySerializer: body => body as unknown as Blob,
      headers: { 'Content-Type': 'application/wasm' },
    }),
  );
}

async function base64(file: File): Promise<string> {
  return btoa(String.fromCharCode(...new Uint8Array(await file.arrayBuffer())));
}
