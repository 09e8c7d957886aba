/** Reading a resource: pages into batches, and a checkpoint wherever what was read is complete up to a value. */

import { Rows } from "../arrow.ts";
import { SourceError } from "../errors.ts";
import type { Channel, Output } from "../output.ts";
import type { Api, Query } from "./client.ts";
import type { Columns, Field } from "./columns.ts";
import { decode, encode, type Increment, parse, type Range } from "./increment.ts";
import type { Json } from "./json.ts";
import { type Page, pages } from "./page.ts";
import type { Resource } from "./resource.ts";
import type { Ordered } from "./types.ts";

/** From where and up to where, as states spell it. */
export interface Bounds {
  from?: string;
  until?: string;
}

/** The cursor of a full read that has ended. */
const DONE = '{"version":1,"done":true}';

/** Reads what a descriptor says, from a checkpoint or from the beginning. */
export function read(
  api: Api,
  resource: Resource,
  descriptor: { columns: string[]; batchBytes: number; increment?: Bounds },
  start: Uint8Array | undefined,
  output: Output,
): void {
  const columns = resource.columns.select(descriptor.columns);
  const rows = new Pushed(columns, output.stream(resource.id, columns.schema()), descriptor.batchBytes);
  if (descriptor.increment === undefined) {
    full(api, resource, start, rows);
  } else if (resource.increment === undefined) {
    throw new SourceError("unsupported", "the split was planned for increments, which this version does not read");
  } else {
    new Incremental(api, resource, resource.increment, rows).read(descriptor.increment, start);
  }
}

function full(api: Api, resource: Resource, start: Uint8Array | undefined, rows: Pushed): void {
  if (start !== undefined && new TextDecoder().decode(start) === DONE) return;
  for (const page of pagesOf(api, resource, [])) {
    page.records.forEach((record, at) => {
      rows.append(page, at, record);
      if (rows.isFull()) rows.push();
    });
  }
  rows.push();
  rows.channel.checkpoint(new TextEncoder().encode(DONE));
}

function pagesOf(api: Api, { path, query, records, paging }: Resource, more: Query): Generator<Page> {
  return pages(api, {
    path,
    query: [...(query ?? []), ...more],
    records: records ?? "",
    paging: paging ?? { way: "none" },
  });
}

/** Puts the record's place before an error. */
function placed(error: unknown, page: Page, at: number): unknown {
  return error instanceof SourceError ? error.context(page.place(at)) : error;
}

/** The rows on their way out. */
class Pushed {
  private readonly rows: Rows;

  constructor(
    private readonly columns: Columns,
    readonly channel: Channel,
    target: number,
  ) {
    this.rows = new Rows(channel.schema, target);
  }

  append(page: Page, at: number, record: Json): void {
    try {
      this.columns.append(this.rows, record);
    } catch (error) {
      throw placed(error, page, at);
    }
  }

  isFull(): boolean {
    return this.rows.isFull();
  }

  push(): void {
    this.channel.push(this.rows.take());
  }
}

class Incremental {
  private readonly by: Field;
  /** The greatest value that was read. */
  private reached: Ordered | undefined;

  constructor(
    private readonly api: Api,
    private readonly resource: Resource,
    private readonly increment: Increment,
    private readonly rows: Pushed,
  ) {
    this.by = resource.columns.named(increment.column);
  }

  read(bounds: Bounds, start: Uint8Array | undefined): void {
    const of = (text: string | undefined) => (text === undefined ? undefined : parse(this.by, text));
    this.reached = start === undefined ? of(bounds.from) : decode(this.by, start);
    const ranges = this.increment.ranges(this.by, this.reached, of(bounds.until));
    if (ranges.length === 0) this.checkpoint();
    for (const [at, range] of ranges.entries()) {
      if (!this.range(range)) return;
      // Up to the end of a window all is read. Of the last one that is not said: what comes late may still be new.
      const { high } = range;
      if (at < ranges.length - 1 && high !== undefined && (this.reached === undefined || this.reached < high)) {
        this.reached = high;
      }
      this.rows.push();
      if (!this.checkpoint()) return;
    }
  }

  private range(range: Range): boolean {
    const { low, high } = range;
    for (const page of pagesOf(this.api, this.resource, this.increment.query(this.by, range))) {
      let at = -1;
      for (const record of page.records) {
        at += 1;
        const value = this.value(page, at, record);
        const wanted = (low === undefined || value > low) && (high === undefined || value <= high);
        if (wanted && !this.row(page, at, record, value)) return false;
      }
    }
    return true;
  }

  private value(page: Page, at: number, record: Json): Ordered {
    try {
      const value = this.by.of(record);
      if (value !== null) return value as Ordered;
    } catch (error) {
      throw placed(error, page, at);
    }
    const message = `field "${this.by.at}", by which increments are read, is null`;
    throw new SourceError("protocol", message).context(page.place(at));
  }

  private row(page: Page, at: number, record: Json, value: Ordered): boolean {
    const { ascending } = this.increment.options;
    const grows = this.reached === undefined || value > this.reached;
    if (ascending && !grows && value !== this.reached) {
      const message = `its ${this.by.name} is smaller than that of the record before, and the API is said to sort by it`;
      throw new SourceError("protocol", message).context(page.place(at));
    }
    if (this.rows.isFull()) {
      this.rows.push();
      // Only between two values: records that share one must not be torn apart by a checkpoint.
      if (ascending && grows && !this.checkpoint()) return false;
    }
    this.rows.append(page, at, record);
    if (grows) this.reached = value;
    return true;
  }

  private checkpoint(): boolean {
    return this.rows.channel.checkpoint(encode(this.by, this.reached));
  }
}
