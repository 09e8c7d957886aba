/** The error a connector reports: typed, so that the host knows who must act and whether to try again. */

/** What kind of failure it is; wit/README.md has the table. */
export type Kind =
  | "config"
  | "auth"
  | "permission"
  | "not-found"
  | "expired"
  | "unsupported"
  | "rate-limited"
  | "transient"
  | "protocol"
  | "cancelled"
  | "internal";

/** What more there is to say of an error. */
export interface Details {
  /** Seconds to wait before trying again. */
  retryAfter?: number;
  /** JSON pointer into the configuration. */
  field?: string;
  /** The stream concerned. */
  stream?: string;
}

/** What went wrong and what to do, in one or two sentences. */
export class SourceError extends Error {
  readonly kind: Kind;
  readonly retryAfter?: number;
  field?: string;
  stream?: string;

  constructor(kind: Kind, message: string, details: Details = {}) {
    super(message);
    this.kind = kind;
    this.retryAfter = details.retryAfter;
    this.field = details.field;
    this.stream = details.stream;
  }

  /** The same error, with where it happened before its message. */
  context(where: string): SourceError {
    return new SourceError(this.kind, `${where}: ${this.message}`, this);
  }

  /** Runs something, and puts where it happened before its error. */
  static within<T>(where: () => string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw error instanceof SourceError ? error.context(where()) : error;
    }
  }
}

/** The value that an error of the host carries; undefined for other errors. */
export function payload(error: unknown): unknown {
  return error !== null && typeof error === "object" && "payload" in error ? error.payload : undefined;
}

/** Calls the host, and turns its errors of the contract into `SourceError`. */
export function host<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    const told = payload(error) as
      | { kind: Kind; message: string; retryAfterMs?: bigint; field?: string; streamId?: string }
      | undefined;
    if (told?.kind === undefined) throw error;
    const retryAfter = told.retryAfterMs === undefined ? undefined : Number(told.retryAfterMs) / 1000;
    throw new SourceError(told.kind, told.message, { retryAfter, field: told.field, stream: told.streamId });
  }
}

/** Gives a resource of the host back. */
export function drop(resource: object): void {
  (resource as { [Symbol.dispose]?: () => void })[Symbol.dispose]?.();
}
