// The one way to the API. Types come from schema.gen.ts, which `npm run types` writes from the service's OpenAPI document.
import createClient from 'openapi-fetch';
import { ApiError, errorOf, unreachable } from './problem';
import { reachability } from './reachability';
import type { paths } from './schema.gen';

/** Sends requests with the session's cookie, to the service that the pages come from. Wrap each call in [`answer`]. */
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? '', credentials: 'same-origin' });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer; throws an [`ApiError`] for everything else. */
export async function answer<T>(call: Promise<Answer<T>>): Promise<T> {
  let got: Answer<T>;
  try {
    got = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    reachability.lost();
    throw unreachable(cause);
  }
  if (got.response.ok) {
    reachability.found();
    return got.data as T;
  }
  const error = errorOf(got.response, got.error);
  if (error.kind === 'unreachable') reachability.lost();
  else reachability.found();
  throw error;
}

/** `If-Match` for a change of what was read with this revision. */
export function ifMatch(revision: number): { 'If-Match': string } {
  return { 'If-Match': `"${revision}"` };
}

/** A key with which a request is carried out once, however often it is sent. */
export function once(): { 'Idempotency-Key': string } {
  return { 'Idempotency-Key': crypto.randomUUID() };
}

export { ApiError };

/** The data of an answer with its ETag, for what does not hold its revision itself. */
export async function tagged<T>(call: Promise<Answer<T>>): Promise<{ data: T; tag: string }> {
  let response: Response | undefined;
  const data = await answer(
    call.then(got => {
      response = got.response;
      return got;
    }),
  );
  return { data, tag: response?.headers.get('etag') ?? '"0"' };
}
