/** JSON without losing digits: whole numbers that a double cannot hold are bigint. */

/** What JSON can say. */
export type Json = null | boolean | number | bigint | string | Json[] | { [name: string]: Json };

/** Stands for a long whole number on its way through `JSON.parse`. */
const LONG = "sluice:integer";

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Reads JSON. */
export function parse(text: string): Json {
  if (!/\d{16}/.test(text)) return JSON.parse(text) as Json;
  const marked = text.replace(TOKENS, (token) => (/^-?\d{16,}$/.test(token) ? `{"${LONG}":"${token}"}` : token));
  return JSON.parse(marked, (_, value: Json) =>
    value !== null && typeof value === "object" && LONG in value ? BigInt(value[LONG] as string) : value,
  ) as Json;
}

/** Writes JSON. */
export function spell(value: Json): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(spell).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${spell(member)}`)
    .join(",")}}`;
}

/** The parts of a JSON pointer. */
export function path(pointer: string): string[] {
  const parts = pointer === "" ? [] : pointer.slice(1).split("/");
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What a path leads to; null where there is nothing. */
export function follow(value: Json, path: string[]): Json {
  let at = value;
  for (const name of path) {
    if (at === null || typeof at !== "object" || !Object.hasOwn(at, name)) return null;
    at = (at as { [name: string]: Json })[name] ?? null;
  }
  return at;
}

/** What a JSON pointer leads to; null where there is nothing. */
export const pointer = (value: Json, pointer: string): Json => follow(value, path(pointer));

/** What a value is, without saying which: rows are nobody's to read in a log. */
export function kind(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  switch (typeof value) {
    case "boolean":
      return "true or false";
    case "bigint":
      return "a whole number";
    case "number":
      return Number.isInteger(value) ? "a whole number" : "a number with a fraction or an exponent";
    case "string":
      return `a text of ${[...value].length} characters`;
    default:
      return "an object";
  }
}
