import { answer, api } from '~/api/client';
import { key, pages } from '~/api/query';

const kept = (tenant: string, name: string, recording: string) => ({ path: { tenant, name, recording } });

/** What is kept of a connector, to hold other versions against. */
export const recordingsQuery = (tenant: string, name: string) =>
  pages(key(tenant, 'connectors', 'recordings', name), after =>
    answer(
      api.GET('/v1/tenants/{tenant}/connectors/{name}/recordings', {
        params: { path: { tenant, name }, query: { after, limit: 50 } },
      }),
    ),
  );

/** Where a recording's file is. */
export const fileOf = (tenant: string, name: string, recording: string) =>
  `/v1/tenants/${encodeURIComponent(tenant)}/connectors/${encodeURIComponent(name)}/recordings/${encodeURIComponent(recording)}`;

/** Sends a recording as it is, under its file's name. */
export const keep = (tenant: string, name: string, file: File) =>
  answer(
    api.PUT('/v1/tenants/{tenant}/connectors/{name}/recordings/{recording}', {
      params: kept(tenant, name, file.name.replace(/\.[^.]*$/, '')),
      // The document calls bytes a text.
      body: file as unknown as string,
      bodySerializer: body => body as unknown as Blob,
      headers: { 'Content-Type': 'application/x-ndjson' },
    }),
  );

export const forget = (tenant: string, name: string, recording: string) =>
  answer(
    api.DELETE('/v1/tenants/{tenant}/connectors/{name}/recordings/{recording}', {
      params: kept(tenant, name, recording),
    }),
  );
