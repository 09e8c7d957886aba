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
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== "bigint" && (typeof value !== "string" || !/^-?\d{1,19}$/.test(value))) return undefined;
  const number = BigInt(value);
  return BigInt.asIntN(64, number) === number ? number : undefined;
}

function time(zoned: boolean): (value: Json) => bigint | undefined {
  return (value) => (typeof value === "string" && times.isZoned(value) === zoned ? times.micros(value) : undefined);
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
      const number = scaled(String(value).trim(), scale, typeof value === "number");
      return number !== undefined && number < most && number > -most ? number : undefined;
    },
  };
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/** A decimal as a whole number of its last digit; undefined where digits would be lost, or are too many to be exact. */
function scaled(text: string, scale: number, rounded: boolean): bigint | undefined {
  if (text.length > 100 || !DECIMAL.test(text)) return undefined;
  const e = text.search(/[eE]/);
  const mantissa = e < 0 ? text : text.slice(0, e);
  const point = mantissa.indexOf(".");
  const places = point < 0 ? 0 : mantissa.length - point - 1;
  const digits = point < 0 ? mantissa : mantissa.slice(0, point) + mantissa.slice(point + 1);
  const significant = digits.replace(/^[+-]?0*/, "");
  if (significant === "") return 0n;
  if (rounded && significant.replace(/0+$/, "").length > EXACT_DIGITS) return undefined;
  const shift = scale - places + (e < 0 ? 0 : Number(text.slice(e + 1)));
  if (shift >= 0) return shift > 100 ? undefined : BigInt(digits) * 10n ** BigInt(shift);
  return /[^0]/.test(significant.slice(shift)) ? undefined : BigInt(digits.slice(0, shift) || 0);
}
