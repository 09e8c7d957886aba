/** The interface that an author implements, and the words it uses. They mean what wit/v0.1/source.wit says. */

import type { Schema } from "./arrow.ts";
import { SourceError } from "./errors.ts";
import type { Output } from "./output.ts";

/** One step of a check; `remedy` is what a person can do. */
export interface CheckStep {
  name: string;
  outcome: "passed" | "warned" | "failed" | "skipped";
  detail: string;
  remedy?: string;
}

/** Which streams to list; empty means all. */
export interface DiscoverFilter {
  contains: string;
  ids: string[];
  pageSize: number;
}

/** A stream that the connection offers. */
export interface StreamInfo {
  id: string;
  schema: Schema;
  kind?: "table" | "view" | "materialized-view" | "partitioned-table" | "query" | "files" | "other";
  primaryKey?: string[];
  cursorCandidates?: string[];
  rows?: bigint;
  bytes?: bigint;
  description?: string;
}

/** Streams, ordered by id; `next` is for the next call and undefined on the last page. */
export interface DiscoverPage {
  streams: StreamInfo[];
  next?: string;
}

/** A stream that was chosen. `increment` is undefined for a full read, else the cursor column (empty where none is needed). */
export interface Selection {
  id: string;
  columns: string[];
  increment?: string;
  filter?: string;
  changedFiles?: "append" | "tail" | "replace" | "ignore" | "fail";
  state?: Uint8Array;
}

/** What the host would like of a plan. */
export interface Hints {
  maxParallel: number;
  splitBytes: number;
  batchBytes: number;
}

/** What is known of a stream before it is read. */
export interface StreamPlan {
  id: string;
  schema: Schema;
  rows?: bigint;
  bytes?: bigint;
  stateAfter?: Uint8Array;
}

/** An independent part of a read. `descriptor` is everything that `read` needs, at most 1 MiB. */
export interface Split {
  id: string;
  streams: string[];
  descriptor: Uint8Array;
  rows?: bigint;
  bytes?: bigint;
  resumable?: boolean;
}

/** How the selected streams will be read. `expires` as in the contract's `read-plan`. */
export interface Plan {
  streams: StreamPlan[];
  splits: Split[];
  expires?: boolean;
}

/** A source of rows. One object serves one call; the one that planned is kept until every split has been read. */
export interface Source {
  /** Tries the configuration. An unusable source is a report with a failed step, not an error. */
  check(): CheckStep[];
  /** Lists streams, ordered by id, page by page. */
  discover(filter: DiscoverFilter, page: string | undefined): DiscoverPage;
  /** Decides how to read the selected streams. */
  plan(selections: Selection[], hints: Hints): Plan;
  /** Reads one split to its end. `start` is the cursor of its last durable checkpoint. */
  read(split: Split, start: Uint8Array | undefined, output: Output): void;
  /** Everything up to the cursor is durable and may be forgotten at the source. */
  acknowledge?(stream: string, cursor: Uint8Array): void;
}

/** That something does not exist, and what does. */
export function notFound(what: string, name: string, known: string[]): SourceError {
  return new SourceError("not-found", `there is no ${what} ${name}; there are ${known.join(", ")}`);
}
