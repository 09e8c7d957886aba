/** Where a read sends its rows. */

import { checkpoint, declare, pushParts } from "sluice:source/output@0.1.0";

import { batch, type Cell, type Schema, transposed } from "./arrow.ts";
import { host } from "./errors.ts";

/** A stream that was declared in this read. */
export class Channel {
  private rows = 0;

  constructor(
    private readonly number: number,
    readonly schema: Schema,
  ) {}

  /**
   * Sends columns of equal length in the schema's order, null for null; waits until the host has room.
   *
   * Whole numbers, microseconds and decimals (whole numbers of their last digit) are bigint, days are number.
   */
  push(columns: Cell[][]): void {
    const rows = columns[0]?.length ?? 0;
    if (rows === 0) return;
    const { metadata, pieces } = batch(this.schema, columns);
    host(() => pushParts(this.number, metadata, pieces));
    this.rows += rows;
  }

  /** Sends rows of one value per column. */
  pushRows(rows: Cell[][]): void {
    this.push(transposed(rows, this.schema.columns.length));
  }

  /** States that all that was pushed is complete up to the cursor. False asks to return from `read` now. */
  checkpoint(cursor: Uint8Array): boolean {
    return host(() => checkpoint(this.number, cursor, BigInt(this.rows))) !== "stop";
  }
}

/** The output of a read. */
export class Output {
  /** Declares a stream of the split; its first schema must be the plan's. */
  stream(id: string, schema: Schema): Channel {
    return new Channel(host(() => declare(id, schema.message())), schema);
  }
}
