/** What the SDK adds to the host's connection: bytes that came and were not asked for yet, and ends that come too early. */

import assert from "node:assert/strict";
import test from "node:test";

import type { Kind, SourceError } from "../src/errors.ts";
import { type Connection, connect } from "../src/net.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A connection of the host that yields what it was given. */
function opened(...parts: string[]) {
  const seen = { written: "", tls: undefined as unknown, closed: 0 };
  const link = {
    read: () => bytes(parts.shift() ?? ""),
    write: (data: Uint8Array) => (seen.written += text(data)),
    startTls: (options: unknown) => (seen.tls = options),
    [Symbol.dispose]: () => (seen.closed += 1),
  };
  Object.assign(globalThis, { host: { net: { connect: () => link } } });
  return { link: connect("mail.example", 25), seen };
}

const fails = (kind: Kind, part: string, run: () => unknown): void =>
  assert.throws(run, (error: SourceError) => error.kind === kind && error.message.includes(part));

const line = (link: Connection, most?: number): string => text(link.readUntil(10, most));

test("bytes come in the pieces that were asked for", () => {
  const { link } = opened("ab\r", "\ncd", "efgh", "ij");
  assert.equal(line(link), "ab\r\n");
  assert.equal(text(link.readExactly(3)), "cde");
  assert.equal(text(link.read(2)), "fg");
  assert.equal(text(link.read()), "h");
  assert.equal(text(link.read()), "ij");
  assert.equal(link.read().length, 0);
});

test("an end that comes too early passes, and a line without an end does not", () => {
  fails("transient", "where more was due", () => opened("ab").link.readExactly(3));
  fails("transient", "before the byte 10", () => line(opened("ab").link));
  fails("protocol", "without the byte 10", () => line(opened("ab", "cd\n").link, 4));
  assert.equal(line(opened("ab", "c\n").link, 4), "abc\n");
});

test("bytes that came before TLS are refused", () => {
  const { link, seen } = opened("220 go\nearly");
  line(link);
  fails("protocol", "5 bytes more before TLS", () => link.startTls());
  link.read(5);
  link.startTls({ verification: "authority", alpn: ["h2"] });
  const told = { verification: "authority", alpn: ["h2"] };
  const none = { serverName: undefined, authorities: undefined, clientCertificate: undefined, clientKey: undefined };
  assert.deepEqual(seen.tls, { ...none, ...told });
});

test("a connection is given back once", () => {
  const { link, seen } = opened();
  link.write(bytes("hello"));
  link.close();
  link.close();
  assert.deepEqual([seen.closed, seen.written], [1, "hello"]);
  fails("internal", "closed before", () => link.read());
});
