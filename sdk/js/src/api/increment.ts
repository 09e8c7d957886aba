/** Reading what is new: from where, up to where, and in which windows. */

import { SourceError } from "../errors.ts";
import type { Query } from "./client.ts";
import type { Field } from "./columns.ts";
import type { Ordered } from "./types.ts";

/** Form of states; a newer connector reads what an older one stored. */
const VERSION = 1;
const DAY = 86_400_000_000n;
const HINT = "reset the stream's state to read all rows again";

/** What more there is to say of increments. */
export interface IncrementOptions {
  /** The API sorts by the column, the smallest value first, so that a read goes on from its last checkpoint. */
  ascending?: boolean;
  /** The request's parameter that leaves out records with greater values. */
  until?: string;
  /** Seconds that a record must be old before it is read, for columns that are moments; 5 otherwise. */
  settle?: number;
  /** Asks for so many days at a time, the first ones since `first`. Needs `until` and a column that is a moment. */
  windows?: { days: number; first: string };
}

/** Values beyond the first, up to and with the second. */
export type Range = { low: Ordered | undefined; high: Ordered | undefined };

/**
 * How an API is asked for records beyond a value of a column, which should be one that every change of a record sets anew. `since` is the
 * request's parameter that leaves out records with smaller values.
 *
 * A state is the greatest value that was read; records with that value or a smaller one are left out when the API sends them again.
 * Where the column is a moment, records of the last seconds are left to the next run: another record with the very same moment may
 * still be on its way.
 */
export class Increment {
  constructor(
    readonly column: string,
    readonly since: string,
    readonly options: IncrementOptions = {},
  ) {}

  /** Up to where a plan that is made now reads; undefined if there is no such bound. */
  bound(field: Field, now: bigint): Ordered | undefined {
    const settle = Math.round((this.options.settle ?? 5) * 1e6);
    return field.type.moment?.(now - BigInt(settle));
  }

  /** What is asked for one after the other. */
  ranges(field: Field, low: Ordered | undefined, high: Ordered | undefined): Range[] {
    if (low !== undefined && high !== undefined && low >= high) return [];
    const { windows, until } = this.options;
    if (windows === undefined) return [{ low, high }];
    if (until === undefined || typeof high !== "bigint") {
      throw new SourceError("internal", `windows of column ${field.name} need a moment and a parameter \`until\``);
    }
    const ranges: Range[] = [];
    let start = (low ?? parse(field, windows.first)) as bigint;
    for (let from = low; ; from = start) {
      const next = start + BigInt(Math.max(1, windows.days)) * DAY;
      const end = next < high ? next : high;
      ranges.push({ low: from, high: end });
      if (end >= high) return ranges;
      start = end;
    }
  }

  /** The parameters that ask for a range. */
  query(field: Field, { low, high }: Range): Query {
    const pairs: [string | undefined, Ordered | undefined][] = [
      [this.since, low],
      [this.options.until, high],
    ];
    return pairs.flatMap(([name, value]): Query =>
      name === undefined || value === undefined ? [] : [[name, show(field, value)]],
    );
  }
}

/** As states and requests spell a value. */
export function show({ name, type }: Field, value: Ordered): string {
  if (type.show === undefined) {
    throw new SourceError("unsupported", `column ${name} has no order that increments can be read by`);
  }
  return type.show(value);
}

/** The value that was shown so. */
export function parse({ name, type }: Field, text: string): Ordered {
  const value = type.parse?.(text);
  if (value === undefined) throw new SourceError("config", `the stored state is no value of column ${name}; ${HINT}`);
  return value;
}

/** The state up to a value; undefined where there was no record yet. */
export function encode(field: Field, value: Ordered | undefined): Uint8Array {
  const shown = value === undefined ? null : show(field, value);
  return new TextEncoder().encode(JSON.stringify({ version: VERSION, column: field.name, value: shown }));
}

/** The value that was stored. */
export function decode(field: Field, cursor: Uint8Array): Ordered | undefined {
  const state = stored(cursor);
  if (state?.version === undefined) {
    throw new SourceError("config", `the stored state is not one of this connector's; ${HINT}`);
  }
  if (state.version !== VERSION) {
    const message = `the stored state has form ${state.version}, and this connector knows form ${VERSION}; use a newer one`;
    throw new SourceError("unsupported", message);
  }
  if (state.column !== field.name) {
    throw new SourceError("config", `the stored state belongs to column ${state.column}, not ${field.name}; ${HINT}`);
  }
  return state.value === null ? undefined : parse(field, String(state.value));
}

function stored(cursor: Uint8Array): { version?: unknown; column?: unknown; value?: unknown } | undefined {
  try {
    const state: unknown = JSON.parse(new TextDecoder().decode(cursor));
    return typeof state === "object" && state !== null ? state : undefined;
  } catch {
    return undefined;
  }
}
