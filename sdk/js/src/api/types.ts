/** How a field of a JSON record is written, and what it becomes: `types.INT`, `types.decimal(12, 2)`. */

import * as arrow from "../arrow.ts";
import { type Json, spell } from "./json.ts";
import * as times from "./times.ts";

/** A value that has an order. */
export type Ordered = bigint | number | string;

/** How a field is written, and what it becomes. */
export interface Type {
  name: string;
  wants: string;
  arrow: arrow.ArrowType;
  /** The value of a column; undefined for what does not fit. */
  convert(value: Json): arrow.Cell | undefined;
  /** As states and requests spell a value, and back; only for types whose values have an order. */
  show?(value: Ordered): string;
  parse?(text: string): Ordered | undefined;
  /** The value of a moment in microseconds since 1970; only for types that are moments. */
  moment?(now: bigint): bigint;
}

/** Most significant digits of a JSON number that survive being read as one. */
const EXACT_DIGITS = 15;

function int(value: Json): bigint | undefined {
  if (typeof value === "string" ? !/^-?\d{1,19}$/.test(value) : typeof value !== "bigint" && !Number.isSafeInteger(value)) {
    return undefined;
  }
  const number = BigInt(value as bigint | number | string);
  return BigInt.asIntN(64, number) === number ? number : undefined;
}

function time(zoned: boolean): (value: Json) => bigint | undefined {
  return (value) => {
    const found = typeof value === "string" ? times.micros(value) : undefined;
    return found?.zoned === zoned ? found.value : undefined;
  };
}

function epoch(unit: bigint): (value: Json) => bigint | undefined {
  return (value) => (typeof value === "string" ? undefined : int((int(value) ?? 1n << 64n) * unit));
}

/** `true` or `false`. */
export const BOOL: Type = {
  name: "bool",
  wants: "true or false",
  arrow: arrow.BOOL,
  convert: (value) => (typeof value === "boolean" ? value : undefined),
};

/** A whole number of 64 bits, as a number or as a text. */
export const INT: Type = { name: "int", wants: "a whole number of 64 bits", arrow: arrow.INT, convert: int, show: String, parse: int };

/** A double. */
export const FLOAT: Type = {
  name: "float",
  wants: "a number",
  arrow: arrow.FLOAT,
  convert: (value) => {
    const number = typeof value === "number" || typeof value === "bigint" ? Number(value) : Number.NaN;
    return Number.isFinite(number) ? number : undefined;
  },
};

/** A text; numbers and truth values become their spelling. */
export const TEXT: Type = {
  name: "text",
  wants: "a text",
  arrow: arrow.TEXT,
  convert: (value) => (typeof value === "string" ? value : typeof value === "object" ? undefined : spell(value)),
  show: String,
  parse: (text) => text,
};

/** Anything, objects and lists among it, kept as JSON text. */
export const JSON: Type = { name: "json", wants: "JSON", arrow: arrow.TEXT, convert: spell };

/** `2024-12-31`. */
export const DATE: Type = {
  name: "date",
  wants: "a date such as 2024-12-31",
  arrow: arrow.DATE,
  convert: (value) => (typeof value === "string" ? times.days(value) : undefined),
  show: (value) => times.showDays(value as number),
  parse: times.days,
};

/** `2024-12-31T23:59:59.123456+01:00`: a moment, which needs a zone. */
export const TIMESTAMP: Type = {
  name: "timestamp",
  wants: "a time with its zone such as 2024-12-31T23:59:59Z",
  arrow: arrow.TIMESTAMP,
  convert: time(true),
  show: (value) => times.showMicros(value as bigint, "Z"),
  parse: time(true),
  moment: (now) => now,
};

/** The same without a zone: what a clock on the wall showed. */
export const LOCAL_TIMESTAMP: Type = {
  name: "local_timestamp",
  wants: "a time without a zone such as 2024-12-31T23:59:59",
  arrow: arrow.LOCAL_TIMESTAMP,
  convert: time(false),
  show: (value) => times.showMicros(value as bigint, ""),
  parse: time(false),
};

function epochType(name: string, wants: string, unit: bigint): Type {
  const floor = (value: bigint) => (value - (((value % unit) + unit) % unit)) / unit;
  return {
    name,
    wants,
    arrow: arrow.TIMESTAMP,
    convert: epoch(unit),
    show: (value) => floor(value as bigint).toString(),
    parse: (text) => epoch(unit)(int(text) ?? null),
    moment: (now) => floor(now) * unit,
  };
}

/** Seconds since 1970, as a number: a moment. */
export const EPOCH_SECONDS: Type = epochType("epoch_seconds", "seconds since 1970", 1_000_000n);
/** Milliseconds since 1970, as a number: a moment. */
export const EPOCH_MILLIS: Type = epochType("epoch_millis", "milliseconds since 1970", 1000n);

/** A decimal of this precision (at most 38) and scale, as a text or a number. Numbers of more than 15 digits are refused. */
export function decimal(precision: number, scale: number): Type {
  const most = 10n ** BigInt(precision);
  return {
    name: "decimal",
    wants: `a number of at most ${precision} digits, ${scale} of them behind the point`,
    arrow: arrow.decimal(precision, scale),
    convert: (value) => {
      if (typeof value !== "string" && typeof value !== "number" && typeof value !== "bigint") return undefined;
      const found = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(String(value).trim());
      const [, sign, whole = "", fraction = "", exponent = "0"] = found ?? [];
      if (found === null || whole + fraction === "") return undefined;
      const digits = (whole + fraction).replace(/^0+/, "");
      if (typeof value === "number" && digits.replace(/0+$/, "").length > EXACT_DIGITS) return undefined;
      const shift = scale - fraction.length + Number(exponent);
      if (digits === "") return 0n;
      if (shift > 100 || digits.length > 100) return undefined;
      const kept = shift < 0 ? digits.slice(0, shift) : digits + "0".repeat(shift);
      if (shift < 0 && /[^0]/.test(digits.slice(shift))) return undefined;
      const number = BigInt(kept);
      if (number >= most) return undefined;
      return sign === "-" ? -number : number;
    },
  };
}
