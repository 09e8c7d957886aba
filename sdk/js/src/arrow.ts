/**
 * Schemas and batches as Arrow IPC messages, for the types that connectors of APIs have. Written by hand, because Arrow for JavaScript
 * is larger than all of this: flatbuffers laid out front to back, and buffers made of typed arrays.
 */

import { SourceError } from "./errors.ts";

/** A value of a column. */
export type Cell = bigint | boolean | number | string | Uint8Array | null;

/** A column's type; `code` and `slots` are those of Arrow's flatbuffer. */
export interface ArrowType {
  name: "int" | "float" | "binary" | "text" | "bool" | "date" | "timestamp" | "decimal";
  code: number;
  slots: Slot[];
}

/** A column of a schema. */
export interface Column {
  name: string;
  type: ArrowType;
  nullable: boolean;
  metadata?: Map<string, string>;
}

const encoder = new TextEncoder();

// Flatbuffers ------------------------------------------------------------------------------------------------------------------

/** A number of so many bytes, something that is referred to, or nothing. */
type Slot = { bytes: 1 | 2 | 4 | 8; value: number } | Node | undefined;
type Node = string | Node[] | Table | Structs;

class Table {
  constructor(readonly slots: Slot[]) {}
}

/** A vector of structs of 16 bytes, each two numbers of 64 bits. */
class Structs {
  constructor(readonly numbers: number[]) {}
}

const number = (bytes: 1 | 2 | 4 | 8, value: number): Slot => ({ bytes, value });

class Flatbuffer {
  private bytes = new Uint8Array(1024);
  private view = new DataView(this.bytes.buffer);
  length = 0;

  /** Appends zeros, and returns where they begin. */
  reserve(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.bytes.length));
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }

  align(multiple: number, ahead = 0): void {
    this.reserve((multiple - ((this.length + ahead) % multiple)) % multiple);
  }

  put(at: number, bytes: number, value: number): void {
    if (bytes === 1) this.view.setUint8(at, value);
    else if (bytes === 2) this.view.setInt16(at, value, true);
    else if (bytes === 4) this.view.setInt32(at, value, true);
    else this.view.setBigInt64(at, BigInt(value), true);
  }

  /** Appends a node and all that it refers to; where it begins. */
  write(node: Node): number {
    if (typeof node === "string") {
      const text = encoder.encode(node);
      this.align(4);
      const at = this.reserve(4 + text.length + 1);
      this.put(at, 4, text.length);
      this.bytes.set(text, at + 4);
      return at;
    }
    if (node instanceof Structs) {
      this.align(8, 4);
      const at = this.reserve(4 + 8 * node.numbers.length);
      this.put(at, 4, node.numbers.length / 2);
      node.numbers.forEach((value, index) => this.put(at + 4 + 8 * index, 8, value));
      return at;
    }
    if (node instanceof Table) return this.table(node.slots);
    this.align(4);
    const at = this.reserve(4 + 4 * node.length);
    this.put(at, 4, node.length);
    node.forEach((item, index) => this.refer(at + 4 + 4 * index, item));
    return at;
  }

  refer(place: number, node: Node): void {
    this.put(place, 4, this.write(node) - place);
  }

  private table(slots: Slot[]): number {
    let size = 4;
    const offsets = slots.map((slot) => {
      if (slot === undefined) return 0;
      const width = isNumber(slot) ? slot.bytes : 4;
      size = Math.ceil(size / width) * width;
      size += width;
      return size - width;
    });
    const head = 4 + 2 * slots.length;
    this.align(8, head);
    const vtable = this.reserve(head);
    [head, size, ...offsets].forEach((value, index) => this.put(vtable + 2 * index, 2, value));
    const at = this.reserve(size);
    this.put(at, 4, head);
    slots.forEach((slot, index) => {
      const place = at + (offsets[index] ?? 0);
      if (slot === undefined) return;
      if (isNumber(slot)) this.put(place, slot.bytes, slot.value);
      else this.refer(place, slot);
    });
    return at;
  }

  take(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

function isNumber(slot: Slot): slot is { bytes: 1 | 2 | 4 | 8; value: number } {
  return typeof slot === "object" && "bytes" in slot;
}

/** Continuation, length and flatbuffer of an encapsulated message, padded to 8 bytes. */
function message(headerType: number, header: Table, bodyLength: number): Uint8Array {
  const out = new Flatbuffer();
  out.reserve(12);
  out.refer(8, new Table([number(2, 4), number(1, headerType), header, number(8, bodyLength)]));
  out.align(8);
  out.put(0, 4, -1);
  out.put(4, 4, out.length - 8);
  return out.take();
}

// Types ------------------------------------------------------------------------------------------------------------------------

export const INT: ArrowType = { name: "int", code: 2, slots: [number(4, 64), number(1, 1)] };
export const FLOAT: ArrowType = { name: "float", code: 3, slots: [number(2, 2)] };
export const BINARY: ArrowType = { name: "binary", code: 4, slots: [] };
export const TEXT: ArrowType = { name: "text", code: 5, slots: [] };
export const BOOL: ArrowType = { name: "bool", code: 6, slots: [] };
/** Days since 1970-01-01. */
export const DATE: ArrowType = { name: "date", code: 8, slots: [number(2, 0)] };
/** Microseconds since 1970 in UTC. */
export const TIMESTAMP: ArrowType = { name: "timestamp", code: 10, slots: [number(2, 2), "UTC"] };
/** Microseconds since 1970 of a clock on the wall. */
export const LOCAL_TIMESTAMP: ArrowType = { name: "timestamp", code: 10, slots: [number(2, 2)] };
/** A decimal of at most 38 digits; its values are whole numbers of the last digit. */
export const decimal = (precision: number, scale: number): ArrowType => ({
  name: "decimal",
  code: 7,
  slots: [number(4, precision), number(4, scale), number(4, 128)],
});

/** Columns, in order. */
export class Schema {
  constructor(readonly columns: Column[]) {}

  /** The schema message. */
  message(): Uint8Array {
    const fields = this.columns.map(({ name, type, nullable, metadata }) => {
      const pairs = [...(metadata ?? [])].map((pair) => new Table(pair));
      return new Table([
        name,
        number(1, nullable ? 1 : 0),
        number(1, type.code),
        new Table(type.slots),
        undefined,
        [],
        pairs.length > 0 ? pairs : undefined,
      ]);
    });
    return message(1, new Table([number(2, 0), fields]), 0);
  }
}

// Batches ----------------------------------------------------------------------------------------------------------------------

// In the sandbox code is interpreted: what a built-in function does for a whole column is done by one, and the loops that are left call
// nothing for a value.

/** A bitmap of the values that are `set`, or of all others, the least significant bit first. */
function bits(values: Cell[], set: Cell, others = false): Uint8Array {
  const out = new Uint8Array(Math.ceil(values.length / 8));
  for (let index = 0, at = 0; index < values.length; at += 1) {
    let byte = 0;
    const end = Math.min(index + 8, values.length);
    for (let bit = 1; index < end; index += 1, bit <<= 1) if ((values[index] === set) !== others) byte |= bit;
    out[at] = byte;
  }
  return out;
}

/** How many values are null. */
function nulls(values: Cell[]): number {
  let count = 0;
  for (let at = values.indexOf(null); at >= 0; at = values.indexOf(null, at + 1)) count += 1;
  return count;
}

/** Values of a fixed width in an array that takes lists of them; null becomes `nothing`. */
function fixed<T extends Cell>(
  array: new (values: T[]) => { buffer: ArrayBufferLike },
  values: Cell[],
  missing: number,
  nothing: T,
): Uint8Array[] {
  let all = values as T[];
  if (missing > 0) {
    all = values.slice() as T[];
    for (let at = values.indexOf(null); at >= 0; at = values.indexOf(null, at + 1)) all[at] = nothing;
  }
  return [new Uint8Array(new array(all).buffer)];
}

function texts(values: Cell[]): Uint8Array[] {
  // One text is encoded instead of many: offsets of ASCII are those of the text itself. Null is joined as nothing.
  const joined = values.join("");
  if (!joined.isWellFormed()) {
    throw new SourceError("protocol", "a text holds half of a character (a lone surrogate), which is no Unicode");
  }
  const data = encoder.encode(joined);
  const ascii = data.length === joined.length;
  const offsets = new Int32Array(values.length + 1);
  for (let index = 0, at = 0; index < values.length; ) {
    const text = values[index] as string | null;
    if (text !== null) at += ascii ? text.length : encoder.encode(text).length;
    index += 1;
    offsets[index] = at;
  }
  return [new Uint8Array(offsets.buffer), data];
}

function binaries(values: Cell[]): Uint8Array[] {
  const offsets = new Int32Array(values.length + 1);
  values.forEach((value, index) => {
    offsets[index + 1] = (offsets[index] ?? 0) + ((value as Uint8Array | null)?.length ?? 0);
  });
  const data = new Uint8Array(offsets[values.length] ?? 0);
  values.forEach((value, index) => data.set((value as Uint8Array | null) ?? [], offsets[index]));
  return [new Uint8Array(offsets.buffer), data];
}

function decimals(values: Cell[]): Uint8Array[] {
  const out = new BigInt64Array(2 * values.length);
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] as bigint | null;
    if (value === null) continue;
    out[2 * index] = BigInt.asIntN(64, value);
    out[2 * index + 1] = value >> 64n;
  }
  return [new Uint8Array(out.buffer)];
}

function buffers(type: ArrowType, values: Cell[], missing: number): Uint8Array[] {
  switch (type.name) {
    case "text":
      return texts(values);
    case "binary":
      return binaries(values);
    case "bool":
      return [bits(values, true)];
    case "float":
      return fixed(Float64Array, values, missing, 0);
    case "date":
      return fixed(Int32Array, values, missing, 0);
    case "decimal":
      return decimals(values);
    default:
      return fixed(BigInt64Array, values, missing, 0n);
  }
}

/** A record batch as the contract's `push-parts` takes it. */
export interface Batch {
  metadata: Uint8Array;
  pieces: Uint8Array[];
}

/** Makes a batch of columns of equal length. */
export function batch(schema: Schema, columns: Cell[][]): Batch {
  const rows = columns[0]?.length ?? 0;
  const nodes: number[] = [];
  const places: number[] = [];
  const pieces: Uint8Array[] = [];
  let at = 0;
  schema.columns.forEach(({ type }, column) => {
    const values = columns[column] ?? [];
    const missing = nulls(values);
    nodes.push(rows, missing);
    const validity = missing > 0 ? bits(values, null, true) : new Uint8Array();
    for (const piece of [validity, ...buffers(type, values, missing)]) {
      places.push(at, piece.length);
      at += Math.ceil(piece.length / 64) * 64;
      pieces.push(piece);
    }
  });
  const header = new Table([number(8, rows), new Structs(nodes), new Structs(places)]);
  return { metadata: message(3, header, at), pieces };
}

/** Bytes that a value takes; texts and binaries also have their length. */
const WIDTH = { int: 8, float: 8, binary: 4, text: 4, bool: 1, date: 4, timestamp: 8, decimal: 16 };

/** Rows on their way into a batch. */
export class Rows {
  private rows: Cell[][] = [];
  private readonly fixed: number;
  /** Columns whose values have a length of their own. */
  private readonly long: number[];
  private bytes = 0;

  constructor(
    private readonly schema: Schema,
    private readonly target: number,
  ) {
    this.fixed = schema.columns.reduce((sum, { type }) => sum + WIDTH[type.name], 0);
    this.long = [...schema.columns.keys()].filter((at) => ["text", "binary"].includes(schema.columns[at]?.type.name ?? ""));
  }

  /** Adds a row: one value per column, null for null. The list is kept until the rows are taken. */
  append(values: Cell[]): void {
    this.rows.push(values);
    this.bytes += this.fixed;
    for (let at = 0; at < this.long.length; at += 1) {
      const value = values[this.long[at] as number] as string | Uint8Array | null;
      if (value !== null) this.bytes += value.length;
    }
  }

  /** Whether it holds as much as a batch should. */
  isFull(): boolean {
    return this.bytes >= this.target;
  }

  /** The columns; no row is left. */
  take(): Cell[][] {
    const taken = transposed(this.rows, this.schema.columns.length);
    this.rows = [];
    this.bytes = 0;
    return taken;
  }
}

/** Columns of rows of one value per column. */
export function transposed(rows: Cell[][], width: number): Cell[][] {
  const columns: Cell[][] = [];
  const count = rows.length;
  for (let at = 0; at < width; at += 1) {
    const column: Cell[] = new Array(count);
    for (let row = 0; row < count; row += 1) column[row] = (rows[row] as Cell[])[at] as Cell;
    columns.push(column);
  }
  return columns;
}
