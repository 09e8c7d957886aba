/** What the SDK adds to the host's items: as many calls as it takes. */

import assert from "node:assert/strict";
import test from "node:test";

import { recall, remember, replace } from "../src/items.ts";

function host() {
  const kept = new Map<string, Uint8Array>();
  const seen = { calls: [] as number[], replaced: [] as string[] };
  const counted = <T>(of: T[]): T[] => {
    seen.calls.push(of.length);
    return of;
  };
  const items = {
    recall: (_: string, keys: string[]) => counted(keys).map((key) => kept.get(key)),
    remember: (_: string, entries: [string, Uint8Array][]) => counted(entries).forEach(([key, value]) => kept.set(key, value)),
    replace: (_: string, files: string[]) => seen.replaced.push(...counted(files)),
  };
  Object.assign(globalThis, { host: { items } });
  return seen;
}

test("more than the host takes at once is handed over in several calls", () => {
  const seen = host();
  const names = Array.from({ length: 20_001 }, (_, number) => `${number}.csv`);
  remember(
    "files",
    names.map((name) => [name, Uint8Array.of(1)]),
  );
  assert.deepEqual(recall("files", ["none", ...names]).slice(0, 2), [undefined, Uint8Array.of(1)]);
  replace("files", new Set(names));
  assert.deepEqual(seen.calls, [10_000, 10_000, 1, 10_000, 10_000, 2, 10_000, 10_000, 1]);
  assert.deepEqual(seen.replaced, names);
});

test("nothing is asked for nothing", () => {
  const seen = host();
  remember("files", []);
  replace("files", []);
  assert.deepEqual(recall("files", []), []);
  assert.deepEqual(seen.calls, []);
});
