/** From the component's exports to the author's source. */

import { SourceError } from "./errors.ts";
import * as log from "./log.ts";
import { type Config, type Fields, type Manifest, manifestJson, type Values } from "./manifest.ts";
import { Output } from "./output.ts";
import type { Selection, Source, Split } from "./source.ts";

interface WitSelection {
  id: string;
  columns: string[];
  mode: { tag: "full" } | { tag: "incremental"; val: string };
  filter?: string;
  changedFiles?: Selection["changedFiles"];
  state?: Uint8Array;
}

interface WitSplit {
  id: string;
  streamIds: string[];
  descriptor: Uint8Array;
  rows?: bigint;
  bytes?: bigint;
  resumable: boolean;
}

const atLeastOne = (value: bigint | number): number => Math.max(1, Number(value));

/** What the component exports; the author's module must call it `source`. */
export function exported<C extends Config<Fields>>(type: new (config: Values<C>) => Source, manifest: Manifest<C>) {
  const open = (config: string): Source => new type(manifest.config.parse(config) as Values<C>);
  // The source that planned: the host keeps the instance, and what it holds open must live as long.
  let planned: Source | undefined;
  return {
    manifest: (): string => manifestJson(manifest),

    check: (config: string) =>
      answer(() => open(config).check().map((step) => ({ ...step, remedy: step.remedy ?? "" }))),

    discover: (config: string, filter: { contains: string; ids: string[]; pageSize: number }, page: string | undefined) =>
      answer(() => {
        const found = open(config).discover({ ...filter, pageSize: atLeastOne(filter.pageSize) }, page);
        const streams = found.streams.map((stream) => ({
          ...stream,
          kind: stream.kind ?? "table",
          schema: stream.schema.message(),
          primaryKey: stream.primaryKey ?? [],
          cursorCandidates: stream.cursorCandidates ?? [],
        }));
        return { streams, next: found.next };
      }),

    plan: (
      config: string,
      selections: WitSelection[],
      hints: { maxParallel: number; splitBytes: bigint; batchBytes: bigint },
    ) =>
      answer(() => {
        const opened = open(config);
        const wanted = selections.map(({ mode, ...rest }) => ({
          ...rest,
          increment: mode.tag === "incremental" ? mode.val : undefined,
        }));
        const made = opened.plan(wanted, {
          maxParallel: atLeastOne(hints.maxParallel),
          splitBytes: atLeastOne(hints.splitBytes),
          batchBytes: atLeastOne(hints.batchBytes),
        });
        planned = opened;
        return {
          streams: made.streams.map((stream) => ({ ...stream, schema: stream.schema.message() })),
          splits: made.splits.map(({ streams, ...split }) => ({
            ...split,
            streamIds: streams,
            resumable: split.resumable ?? false,
          })),
          expires: made.expires ?? false,
        };
      }),

    read: (config: string, { streamIds, ...split }: WitSplit, start: Uint8Array | undefined): void =>
      answer(() => open(config).read({ ...split, streams: streamIds } satisfies Split, start, new Output())),

    acknowledge: (config: string, streamId: string, cursor: Uint8Array): void =>
      answer(() => open(config).acknowledge?.(streamId, cursor)),

    close: (): void => {
      planned = undefined;
    },

    /** The source that planned, as long as the host keeps its instance. */
    planned: (): Source | undefined => planned,
  };
}

/** What a verb returns, or its error in the contract's words. What is no `SourceError` is a defect, and its trace goes to the log. */
function answer<T>(verb: () => T): T {
  try {
    return verb();
  } catch (error) {
    const told = error instanceof SourceError ? error : defect(error);
    const wait = told.retryAfter === undefined ? undefined : BigInt(Math.max(0, Math.round(told.retryAfter * 1000)));
    throw Object.assign(new Error(told.message), {
      payload: { kind: told.kind, message: told.message, retryAfterMs: wait, field: told.field, streamId: told.stream },
    });
  }
}

function defect(error: unknown): SourceError {
  const trace = error instanceof Error ? `${error}\n${error.stack ?? ""}` : String(error);
  log.error(trace);
  return new SourceError("internal", String(error));
}
