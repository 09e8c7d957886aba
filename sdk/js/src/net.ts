/** TCP and TLS, spoken by the host to the hosts that the manifest declares: for sources with a protocol of their own. */

import * as wit from "sluice:source/net@0.1.0";

import { drop, host, SourceError } from "./errors.ts";

const CHUNK = 65_536;

/** How far the server's certificate is checked: not at all, that it comes from a trusted authority, and that it is valid for the name. */
export type Verification = "none" | "authority" | "full";

/** How to speak TLS; `full` where it is not said otherwise. */
export interface TlsOptions {
  verification?: Verification;
  /** The name to ask for and to check; the host that was connected to otherwise. */
  serverName?: string;
  /** Authorities to trust, PEM; those of the host's system otherwise. */
  authorities?: string;
  /** The client's certificate chain and key, both PEM. */
  clientCertificate?: string;
  clientKey?: string;
  /** Application protocols to offer, the preferred first. */
  alpn?: string[];
}

const told = (options: TlsOptions): wit.TlsOptions => ({
  verification: options.verification ?? "full",
  serverName: options.serverName,
  authorities: options.authorities,
  clientCertificate: options.clientCertificate,
  clientKey: options.clientKey,
  alpn: options.alpn ?? [],
});

/**
 * Connects, and with `tls` speaks TLS from the first byte. Close what it returns.
 *
 * Fails with `permission` where the manifest or the grants do not allow the address, `not-found` where the name does not resolve,
 * `transient` where nobody answers.
 */
export function connect(address: string, port: number, tls?: TlsOptions): Connection {
  return new Connection(host(() => wit.connect(address, port, tls && told(tls))));
}

/** A TCP connection. What was received and not yet asked for is kept until the next call. */
export class Connection {
  private link: wit.Connection | undefined;
  private kept = new Uint8Array();

  constructor(link: wit.Connection) {
    this.link = link;
  }

  /** Gives the connection back. It may be closed again. */
  close(): void {
    const link = this.link;
    this.link = undefined;
    if (link) drop(link);
  }

  /** Waits for bytes and returns at most so many; none at the end. */
  read(most = CHUNK): Uint8Array {
    if (this.kept.length === 0) return host(() => this.open().read(Math.min(most, CHUNK)));
    return this.take(Math.min(most, this.kept.length));
  }

  /** Waits for so many bytes. `transient` if the connection ends before. */
  readExactly(count: number): Uint8Array {
    while (this.kept.length < count) this.more("where more was due");
    return this.take(count);
  }

  /**
   * Waits for bytes up to and with the byte `end`, a line for example. `protocol` if that takes more than `most` bytes, `transient` if
   * the connection ends before.
   */
  readUntil(end: number, most = CHUNK): Uint8Array {
    for (;;) {
      const found = this.kept.indexOf(end);
      if (found >= 0 && found < most) return this.take(found + 1);
      if (this.kept.length >= most) {
        throw new SourceError("protocol", `the server sent ${this.kept.length} bytes without the byte ${end} that ends them`);
      }
      this.more(`before the byte ${end}`);
    }
  }

  /** Sends all bytes; returns when they are with the operating system. */
  write(bytes: Uint8Array): void {
    host(() => this.open().write(bytes));
  }

  /**
   * Turns TLS on in a connection that began in the clear. Bytes that came before are an error: whoever sits on the line could have sent
   * them (CVE-2021-23222).
   */
  startTls(options: TlsOptions = {}): void {
    if (this.kept.length > 0) {
      throw new SourceError("protocol", `the server sent ${this.kept.length} bytes more before TLS began`);
    }
    host(() => this.open().startTls(told(options)));
  }

  /** Channel binding data `tls-server-end-point` (RFC 5929); undefined without TLS. */
  tlsServerEndPoint(): Uint8Array | undefined {
    return this.open().tlsServerEndPoint();
  }

  private open(): wit.Connection {
    if (this.link === undefined) throw new SourceError("internal", "the connection was closed before");
    return this.link;
  }

  private more(when: string): void {
    const came = host(() => this.open().read(CHUNK));
    if (came.length === 0) throw new SourceError("transient", `the server ended the connection ${when}`);
    const all = new Uint8Array(this.kept.length + came.length);
    all.set(this.kept);
    all.set(came, this.kept.length);
    this.kept = all;
  }

  private take(count: number): Uint8Array {
    const taken = this.kept.slice(0, count);
    this.kept = this.kept.slice(count);
    return taken;
  }
}
