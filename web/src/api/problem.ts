// Errors of the API as RFC 9457 words them, and the one that the API cannot word: that it was not reached.
import type { Problem } from './schema.gen';

const PREFIX = 'urn:sluice:problem:';

/** The last part of a problem's `type`; it never changes. The list is in docs/api.md. */
export type ProblemName =
  | 'invalid'
  | 'unauthenticated'
  | 'wrong-credentials'
  | 'forbidden'
  | 'cross-site'
  | 'not-found'
  | 'method-not-allowed'
  | 'conflict'
  | 'exists'
  | 'refused'
  | 'revision-required'
  | 'too-large'
  | 'unsupported-media-type'
  | 'too-many-requests'
  | 'upstream'
  | 'timeout'
  | 'unavailable'
  | 'internal'
  | 'unreachable';

export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly kind: ProblemName,
    readonly problem: Problem,
    /** Seconds after which it may be tried again, if the answer said so. */
    readonly retryAfter?: number,
  ) {
    super(problem.detail);
  }

  /** The field of the request that the problem is about, as the API names it: `streams[0].read`, `config.host`. */
  get field(): string | undefined {
    return this.problem.field ?? undefined;
  }

  /** Whether asking again can help without anybody doing anything. */
  get passes(): boolean {
    return ['unreachable', 'unavailable', 'timeout', 'too-many-requests'].includes(this.kind);
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'detail' in body && 'type' in body;
}

/** The error that an answer stands for. What is no problem document comes from something between the page and the service. */
export function errorOf(response: Response, body: unknown): ApiError {
  const after = Number(response.headers.get('retry-after'));
  const retryAfter = Number.isFinite(after) && after > 0 ? after : undefined;
  if (isProblem(body) && body.type.startsWith(PREFIX)) {
    return new ApiError(body.type.slice(PREFIX.length) as ProblemName, body, retryAfter);
  }
  const kind = response.status >= 500 ? 'unreachable' : 'internal';
  const detail = `${response.status} ${response.statusText}`.trim();
  return new ApiError(kind, { type: 'about:blank', title: detail, status: response.status, detail }, retryAfter);
}

export function unreachable(cause: unknown): ApiError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new ApiError('unreachable', { type: 'about:blank', title: detail, status: 0, detail });
}
