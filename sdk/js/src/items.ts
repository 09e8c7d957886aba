/**
 * What a stream's state remembers item by item, where a cursor of 64 KiB is too small: of each of a million files, say, which version of
 * it was read. Only while `plan` runs, and for the streams that it was asked to plan; `wit/README.md` says when what is remembered holds.
 */

import * as wit from "sluice:source/items@0.1.0";

import { host } from "./errors.ts";

/** Most keys or entries of one call of the host; more are handed over in several. */
export const MAX_PER_CALL = 10_000;

/** Longest key in UTF-8, bytes. */
export const MAX_KEY_BYTES = 4 << 10;

/** Longest value, bytes. */
export const MAX_VALUE_BYTES = 255;

/** The column that says which file a row is of, in streams whose changed files are replaced. */
export const FILE_COLUMN = "_sluice_file";

/** What committed reads left under these keys, in their order; undefined where nothing is, and for a stream that is read in full. */
export function recall(stream: string, keys: string[]): (Uint8Array | undefined)[] {
  return inParts(keys).flatMap((some) => host(() => wit.recall(stream, some)));
}

/**
 * Remembers values under their keys once the plan has been carried out. A later value replaces an earlier one; items that are not named
 * stay, unless the stream is read in full: then only what is remembered now will be. Values should carry a version of their own.
 */
export function remember(stream: string, entries: Iterable<[string, Uint8Array]>): void {
  for (const some of inParts([...entries])) host(() => wit.remember(stream, some));
}

/**
 * Names files whose rows this plan replaces: those that the table has of them go in the moment in which the plan's rows become visible.
 * Only for a stream whose `Selection.changedFiles` is `replace`; its last column is `FILE_COLUMN`, text that is never null.
 */
export function replace(stream: string, files: Iterable<string>): void {
  for (const some of inParts([...files])) host(() => wit.replace(stream, some));
}

/** No more at once than the host takes. */
function inParts<T>(all: T[]): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += MAX_PER_CALL) parts.push(all.slice(at, at + MAX_PER_CALL));
  return parts;
}
