/** HTTP requests through the host, which resolves, connects, speaks TLS and adds credentials. They go to hosts that the manifest declares. */

import { subscribeDuration } from "wasi:clocks/monotonic-clock@0.2.0";
import { handle } from "wasi:http/outgoing-handler@0.2.0";
import {
  type ErrorCode,
  Fields,
  httpErrorCode,
  type IncomingResponse,
  OutgoingBody,
  OutgoingRequest,
  RequestOptions,
} from "wasi:http/types@0.2.0";
import type { InputStream, StreamError } from "wasi:io/streams@0.2.0";

import { drop, type Kind, payload, SourceError } from "./errors.ts";

const CHUNK = 65_536n;

const NOT_ALLOWED: [Kind, string] = [
  "permission",
  "the request is not allowed by the connector's manifest or the pipeline's grants",
];
const NO_NAME: [Kind, string] = ["not-found", "the host's name does not resolve; check its spelling"];
const NO_TLS: [Kind, string] = ["protocol", "the host does not speak TLS there; check port and scheme"];
const NOT_HTTP: [Kind, string] = ["protocol", "the answer is no valid HTTP"];
const TOO_LARGE: [Kind, string] = ["protocol", "the answer is larger than the host takes"];
const NOT_SENT: [Kind, string] = ["config", "the request cannot be sent as it is"];

/** What the host's codes mean for whoever has to act; what is not here is a failure that passes. */
const MEANING = new Map<string, [Kind, string]>([
  ["DNS-error", NO_NAME],
  ["destination-not-found", NO_NAME],
  ["DNS-timeout", ["transient", "the host's name was not resolved in time"]],
  ["destination-unavailable", ["transient", "there is no way to the host"]],
  ["destination-IP-unroutable", ["transient", "there is no way to the host"]],
  ["destination-IP-prohibited", NOT_ALLOWED],
  ["HTTP-request-denied", NOT_ALLOWED],
  ["connection-refused", ["transient", "nobody answers there"]],
  ["connection-terminated", ["transient", "the connection was lost"]],
  ["connection-timeout", ["transient", "the host did not answer in time"]],
  ["connection-read-timeout", ["transient", "the host fell silent in the middle of its answer"]],
  ["HTTP-response-timeout", ["transient", "the host did not answer the request in time"]],
  ["HTTP-response-incomplete", ["transient", "the connection ended before the answer did"]],
  [
    "connection-limit-reached",
    ["permission", "more requests at once than the pipeline's limits.instance.connections allows; raise it"],
  ],
  ["TLS-certificate-error", ["config", "the host's certificate is not trusted for its name; check the name"]],
  ["TLS-protocol-error", NO_TLS],
  ["TLS-alert-received", NO_TLS],
  ["HTTP-request-URI-invalid", NOT_SENT],
  ["HTTP-request-URI-too-long", NOT_SENT],
  ["HTTP-protocol-error", NOT_HTTP],
  ["HTTP-response-transfer-coding", NOT_HTTP],
  ["HTTP-response-body-size", TOO_LARGE],
  ["HTTP-response-header-section-size", TOO_LARGE],
]);

function meaning(code: ErrorCode): SourceError {
  if (code.tag === "internal-error" && typeof code.val === "string") {
    return new SourceError("transient", `the request failed: ${code.val.slice(0, 500)}`);
  }
  const [kind, what] = MEANING.get(code.tag) ?? ["transient", `the request failed (${code.tag})`];
  return new SourceError(kind, what);
}

/** A request. Timeouts are in seconds; what is not set is the host's default, and the host may cap all of them. */
export interface Request {
  method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
  url: string;
  headers?: [string, string][];
  body?: Uint8Array;
  connectTimeout?: number;
  firstByteTimeout?: number;
  betweenBytesTimeout?: number;
}

/** What a URL says. */
export interface Parts {
  scheme: "http" | "https";
  authority: string;
  path: string;
}

/** Takes a URL apart. */
export function parts(url: string): Parts {
  const found = /^(https?):\/\/([^\s/?#\\]+)([^\s#\\]*)(?:#[^\s\\]*)?$/.exec(url);
  const [, scheme, authority, path] = found ?? [];
  if (scheme === undefined || authority === undefined || path === undefined) {
    throw new SourceError("config", "the URL must begin with http:// or https:// and name a host");
  }
  if (authority.includes("@")) throw new SourceError("config", "the URL must not hold a user or a password");
  return { scheme: scheme as Parts["scheme"], authority, path: path.startsWith("/") ? path : `/${path}` };
}

/** A URL without its query, for messages. */
export const withoutQuery = (url: string): string => url.split(/[?#]/, 1)[0] ?? "";

/** Sends a request and waits for the answer's head. */
export function send(request: Request): Response {
  const doing = `${request.method} ${withoutQuery(request.url)}`;
  return SourceError.within(
    () => doing,
    () => new Response(doing, start(request)),
  );
}

function start(request: Request): IncomingResponse {
  const { scheme, authority, path } = parts(request.url);
  const encoder = new TextEncoder();
  const headers = (request.headers ?? []).map(([name, value]): [string, Uint8Array] => [name, encoder.encode(value)]);
  if (request.body) headers.push(["content-length", encoder.encode(String(request.body.length))]);
  let outgoing: OutgoingRequest;
  try {
    outgoing = new OutgoingRequest(Fields.fromList(headers));
    outgoing.setMethod({ tag: request.method.toLowerCase() });
    outgoing.setScheme({ tag: scheme === "https" ? "HTTPS" : "HTTP" });
    outgoing.setAuthority(authority);
    outgoing.setPathWithQuery(path);
  } catch {
    throw new SourceError(...NOT_SENT);
  }
  const body = request.body && outgoing.body();
  try {
    const future = handle(outgoing, options(request));
    if (body && request.body) sendBody(body, request.body);
    const ready = future.subscribe();
    ready.block();
    drop(ready);
    const answer = future.get();
    if (answer?.tag !== "ok") throw new SourceError("internal", "the answer was taken before");
    if (answer.val.tag === "err") throw meaning(answer.val.val);
    return answer.val.val;
  } catch (error) {
    const code = payload(error) as ErrorCode | undefined;
    throw code?.tag === undefined ? error : meaning(code);
  }
}

function options(request: Request): RequestOptions | undefined {
  const { connectTimeout, firstByteTimeout, betweenBytesTimeout } = request;
  if ((connectTimeout ?? firstByteTimeout ?? betweenBytesTimeout) === undefined) return undefined;
  const nanoseconds = (wait: number | undefined) => (wait === undefined ? undefined : BigInt(Math.round(wait * 1e9)));
  const options = new RequestOptions();
  options.setConnectTimeout(nanoseconds(connectTimeout));
  options.setFirstByteTimeout(nanoseconds(firstByteTimeout));
  options.setBetweenBytesTimeout(nanoseconds(betweenBytesTimeout));
  return options;
}

function sendBody(body: OutgoingBody, bytes: Uint8Array): void {
  const stream = body.write();
  try {
    for (let at = 0; at < bytes.length; at += 4096) stream.blockingWriteAndFlush(bytes.subarray(at, at + 4096));
  } catch (error) {
    // A host that takes no more has answered already, and what it answered counts.
    if (payload(error) === undefined) throw error;
  }
  drop(stream);
  OutgoingBody.finish(body, undefined);
}

/** An answer whose headers have come, and whose body is coming. */
export class Response {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers = new Map<string, string>();
  private readonly stream: InputStream;
  private readonly resources: object[];

  constructor(
    readonly doing: string,
    incoming: IncomingResponse,
  ) {
    this.status = incoming.status();
    const decoder = new TextDecoder();
    const fields = incoming.headers();
    for (const [name, value] of fields.entries()) {
      const key = name.toLowerCase();
      const known = this.headers.get(key);
      this.headers.set(key, known === undefined ? decoder.decode(value) : `${known}, ${decoder.decode(value)}`);
    }
    drop(fields);
    const body = incoming.consume();
    this.stream = body.stream();
    // What a resource came from must outlive it, and goes in this order.
    this.resources = [this.stream, body, incoming];
  }

  /** Gives the connection back; what was not read of the body is dropped. */
  close(): void {
    this.resources.splice(0).forEach(drop);
  }

  /** Waits for the next part of the body; undefined at its end. */
  chunk(): Uint8Array | undefined {
    try {
      for (;;) {
        const read = this.stream.blockingRead(CHUNK);
        if (read.length > 0) return read;
      }
    } catch (error) {
      const told = payload(error) as StreamError | undefined;
      if (told?.tag === "closed") return undefined;
      if (told === undefined) throw error;
      const code = httpErrorCode(told.val);
      if (code !== undefined) throw meaning(code).context(this.doing);
      const said = told.val.toDebugString().slice(0, 500);
      throw new SourceError("transient", `${this.doing}: the connection broke in the middle of the answer: ${said}`);
    }
  }

  /** Waits for the whole body, of at most so many bytes, as text. */
  text(most: number): string {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const whole = this.whole(most);
    try {
      return decoder.decode(whole);
    } catch {
      throw new SourceError("protocol", `${this.doing}: the answer is not UTF-8`);
    }
  }

  /** Waits for the whole body, of at most so many bytes. */
  whole(most: number): Uint8Array {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (let chunk = this.chunk(); chunk !== undefined; chunk = this.chunk()) {
      length += chunk.length;
      if (length > most) throw new SourceError("protocol", `${this.doing}: the answer has more than ${most} bytes`);
      chunks.push(chunk);
    }
    if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0];
    const all = new Uint8Array(length);
    chunks.reduce((at, chunk) => {
      all.set(chunk, at);
      return at + chunk.length;
    }, 0);
    return all;
  }

  /** Seconds that a Retry-After says to wait: as a number, or as a time by the server's own clock. */
  retryAfter(): number | undefined {
    const text = this.headers.get("retry-after")?.trim() ?? "";
    if (/^\d+$/.test(text)) return Number(text);
    const wait = Date.parse(text) - Date.parse(this.headers.get("date") ?? "");
    return Number.isNaN(wait) ? undefined : Math.max(0, wait / 1000);
  }
}

/** Waits, without computing. */
export function sleep(seconds: number): void {
  const elapsed = subscribeDuration(BigInt(Math.round(seconds * 1e9)));
  elapsed.block();
  drop(elapsed);
}
