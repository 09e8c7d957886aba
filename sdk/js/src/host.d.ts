// The imports of the contract, as componentize-js binds them. An error of the host is thrown with its value in `payload`.

declare module "sluice:source/output@0.1.0" {
  export function declare(streamId: string, schema: Uint8Array): number;
  export function pushParts(channel: number, metadata: Uint8Array, body: Uint8Array[]): void;
  export function checkpoint(channel: number, cursor: Uint8Array, rows: bigint): "continue" | "stop";
}

declare module "sluice:source/items@0.1.0" {
  export function recall(streamId: string, keys: string[]): (Uint8Array | undefined)[];
  export function remember(streamId: string, entries: [string, Uint8Array][]): void;
  export function replace(streamId: string, files: string[]): void;
}

declare module "sluice:source/net@0.1.0" {
  export interface TlsOptions {
    verification: "none" | "authority" | "full";
    serverName: string | undefined;
    authorities: string | undefined;
    clientCertificate: string | undefined;
    clientKey: string | undefined;
    alpn: string[];
  }
  export class Connection {
    read(max: number): Uint8Array;
    write(bytes: Uint8Array): void;
    startTls(options: TlsOptions): void;
    tlsServerEndPoint(): Uint8Array | undefined;
  }
  export function connect(host: string, port: number, tls: TlsOptions | undefined): Connection;
}

declare module "sluice:source/log@0.1.0" {
  export function write(level: "debug" | "info" | "warn" | "error", message: string): void;
}

declare module "wasi:io/poll@0.2.0" {
  export class Pollable {
    block(): void;
  }
}

declare module "wasi:io/error@0.2.0" {
  export class Error {
    toDebugString(): string;
  }
}

declare module "wasi:io/streams@0.2.0" {
  import type { Error } from "wasi:io/error@0.2.0";
  export type StreamError = { tag: "last-operation-failed"; val: Error } | { tag: "closed" };
  export class InputStream {
    blockingRead(length: bigint): Uint8Array;
  }
  export class OutputStream {
    blockingWriteAndFlush(contents: Uint8Array): void;
  }
}

declare module "wasi:clocks/monotonic-clock@0.2.0" {
  import type { Pollable } from "wasi:io/poll@0.2.0";
  export function subscribeDuration(nanoseconds: bigint): Pollable;
}

declare module "wasi:http/types@0.2.0" {
  import type { Error as IoError } from "wasi:io/error@0.2.0";
  import type { Pollable } from "wasi:io/poll@0.2.0";
  import type { InputStream, OutputStream } from "wasi:io/streams@0.2.0";
  export type ErrorCode = { tag: string; val?: unknown };
  export type Result<T> = { tag: "ok"; val: T } | { tag: "err"; val: ErrorCode };
  export class Fields {
    static fromList(entries: [string, Uint8Array][]): Fields;
    entries(): [string, Uint8Array][];
  }
  export class RequestOptions {
    setConnectTimeout(nanoseconds: bigint | undefined): void;
    setFirstByteTimeout(nanoseconds: bigint | undefined): void;
    setBetweenBytesTimeout(nanoseconds: bigint | undefined): void;
  }
  export class OutgoingRequest {
    constructor(headers: Fields);
    body(): OutgoingBody;
    setMethod(method: { tag: string }): void;
    setPathWithQuery(path: string): void;
    setScheme(scheme: { tag: "HTTP" | "HTTPS" }): void;
    setAuthority(authority: string): void;
  }
  export class OutgoingBody {
    write(): OutputStream;
    static finish(body: OutgoingBody, trailers: Fields | undefined): void;
  }
  export class FutureIncomingResponse {
    subscribe(): Pollable;
    get(): { tag: "ok"; val: Result<IncomingResponse> } | { tag: "err" } | undefined;
  }
  export class IncomingResponse {
    status(): number;
    headers(): Fields;
    consume(): IncomingBody;
  }
  export class IncomingBody {
    stream(): InputStream;
  }
  export function httpErrorCode(error: IoError): ErrorCode | undefined;
}

declare module "wasi:http/outgoing-handler@0.2.0" {
  import type { FutureIncomingResponse, OutgoingRequest, RequestOptions } from "wasi:http/types@0.2.0";
  export function handle(request: OutgoingRequest, options: RequestOptions | undefined): FutureIncomingResponse;
}
