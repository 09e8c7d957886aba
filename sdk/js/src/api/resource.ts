/** A stream described by what it is asked for, and a connector's four verbs made of such descriptions. */

import { SourceError } from "../errors.ts";
import type { Output } from "../output.ts";
import { type CheckStep, type DiscoverFilter, type DiscoverPage, type Hints, notFound, type Plan } from "../source.ts";
import type { Selection, Split, StreamInfo, StreamPlan } from "../source.ts";
import type { Api, Query } from "./client.ts";
import type { Columns } from "./columns.ts";
import { decode, type Increment, show } from "./increment.ts";
import type { Paging } from "./page.ts";
import { type Bounds, read } from "./read.ts";

/** Form of the descriptor; a newer connector may read what an older one planned. */
const VERSION = 1;

/** One resource of an API, as a stream. */
export interface Resource {
  id: string;
  path: string;
  columns: Columns;
  /** A JSON pointer to the list of records in an answer; the answer is the list where it is left out. */
  records?: string;
  /** How one page leads to the next; all records come at once where it is left out. */
  paging?: Paging;
  /** Parameters of every request. */
  query?: Query;
  /** Columns that identify a record. */
  key?: string[];
  /** How only what is new is read. The manifest must have the capability `incremental`. */
  increment?: Increment;
  description?: string;
}

/** All that reading a split takes. */
interface Descriptor {
  version: number;
  stream: string;
  columns: string[];
  batchBytes: number;
  increment?: Bounds;
}

/** All resources of a connector, and its verbs. */
export class Resources {
  private readonly all: Map<string, Resource>;

  constructor(resources: Resource[]) {
    const sorted = [...resources].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.all = new Map(sorted.map((resource) => [resource.id, resource]));
  }

  /** Asks for the first page of the first resource. */
  check(api: Api): CheckStep[] {
    const [first] = this.all.values();
    return first === undefined ? [] : [api.check(first.path, first.query ?? [])];
  }

  /** Lists the resources. */
  discover(filter: DiscoverFilter, page: string | undefined): DiscoverPage {
    const contains = filter.contains.toLowerCase();
    const found = [...this.all.values()].filter(
      ({ id }) =>
        id.toLowerCase().includes(contains) &&
        (filter.ids.length === 0 || filter.ids.includes(id)) &&
        (page === undefined || id > page),
    );
    const shown = found.slice(0, filter.pageSize);
    return { streams: shown.map(info), next: found.length > shown.length ? shown.at(-1)?.id : undefined };
  }

  /** Plans one split for each selection. */
  plan(selections: Selection[], hints: Hints): Plan {
    const now = BigInt(Date.now()) * 1000n;
    const planned = selections.map((selection) =>
      ofStream(selection.id, () => plan(this.find(selection.id), selection, hints, now)),
    );
    return { streams: planned.map(({ stream }) => stream), splits: planned.map(({ split }) => split) };
  }

  /** Reads a split that `plan` made. */
  read(api: Api, split: Split, start: Uint8Array | undefined, output: Output): void {
    const descriptor = JSON.parse(new TextDecoder().decode(split.descriptor)) as Descriptor;
    if (descriptor.version !== VERSION) {
      const message = `the split was planned in form ${descriptor.version}, known is ${VERSION}; plan the run again`;
      throw new SourceError("unsupported", message);
    }
    ofStream(descriptor.stream, () => read(api, this.find(descriptor.stream), descriptor, start, output));
  }

  private find(id: string): Resource {
    const found = this.all.get(id);
    if (found === undefined) throw notFound("stream", id, [...this.all.keys()]);
    return found;
  }
}

/** Errors name the stream. */
function ofStream<T>(id: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof SourceError) error.stream = id;
    throw error;
  }
}

function info({ id, columns, key, increment, description }: Resource): StreamInfo {
  const cursorCandidates = increment === undefined ? [] : [increment.column];
  return { id, schema: columns.schema(), kind: "other", primaryKey: key ?? [], cursorCandidates, description };
}

function plan(
  resource: Resource,
  selection: Selection,
  hints: Hints,
  now: bigint,
): { stream: StreamPlan; split: Split } {
  if (selection.filter !== undefined) throw new SourceError("unsupported", "this connector takes no row restriction");
  const { id } = resource;
  const descriptor: Descriptor = {
    version: VERSION,
    stream: id,
    columns: selection.columns,
    batchBytes: hints.batchBytes,
    increment: selection.increment === undefined ? undefined : bounds(resource, selection.increment, selection.state, now),
  };
  return {
    stream: { id, schema: resource.columns.select(selection.columns).schema() },
    split: {
      id,
      streams: [id],
      descriptor: new TextEncoder().encode(JSON.stringify(descriptor)),
      resumable: descriptor.increment !== undefined,
    },
  };
}

function bounds({ increment, columns }: Resource, column: string, state: Uint8Array | undefined, now: bigint): Bounds {
  if (increment === undefined || (column !== "" && column !== increment.column)) {
    const known = increment === undefined ? "no column" : `column ${increment.column}`;
    throw new SourceError("config", `increments of this stream are read by ${known}, not by "${column}"`);
  }
  const by = columns.named(increment.column);
  const from = state === undefined ? undefined : decode(by, state);
  const until = increment.bound(by, now);
  return {
    from: from === undefined ? undefined : show(by, from),
    until: until === undefined ? undefined : show(by, until),
  };
}
