/** Dates and times as JSON APIs write them: strictly, to the microsecond, from the year 1 to 9999. */

const MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const [ZERO, NINE] = [48, 57];

/** The number that so many digits at a place say; not a number where there are others. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let place = at; place < at + count; place += 1) {
    const code = text.charCodeAt(place);
    if (!(code >= ZERO && code <= NINE)) return Number.NaN;
    value = 10 * value + code - ZERO;
  }
  return value;
}

/** Days since 1970-01-01 of `YYYY-MM-DD`. */
export function days(text: string): number | undefined {
  return text.length === 10 ? daysOf(text) : undefined;
}

function daysOf(text: string): number | undefined {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  if (text[4] !== "-" || text[7] !== "-" || !(year > 0)) return undefined;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const length = (MONTHS[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0);
  if (!(day >= 1 && day <= length)) return undefined;
  // Counted in years that begin in March.
  const of = month > 2 ? year : year - 1;
  const ofYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return of * 365 + Math.floor(of / 4) - Math.floor(of / 100) + Math.floor(of / 400) + ofYear - 719_468;
}

/** Whether a time has a zone. */
export function isZoned(text: string): boolean {
  const last = text[text.length - 1];
  return last === "Z" || last === "z" || text.includes("+", 10) || text.includes("-", 10);
}

/** Microseconds since 1970. A date alone is its midnight. Digits beyond microseconds must be zeros. */
export function micros(text: string): bigint | undefined {
  const date = daysOf(text);
  if (date === undefined) return undefined;
  if (text.length === 10) return BigInt(date * 86_400) * 1_000_000n;
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  if (!"Tt ".includes(text[10] ?? "") || text[13] !== ":" || !(hour <= 23 && minute <= 59)) return undefined;
  let at = 16;
  let second = 0;
  let fraction = "";
  if (text[at] === ":") {
    second = digits(text, 17, 2);
    at = 19;
    if (!(second <= 59)) return undefined;
    if (text[at] === ".") {
      const end = endOfDigits(text, at + 1);
      fraction = text.slice(at + 1, end);
      if (fraction === "" || (fraction.length > 6 && /[^0]/.test(fraction.slice(6)))) return undefined;
      at = end;
    }
  }
  const east = offset(text, at);
  if (east === undefined) return undefined;
  const seconds = date * 86_400 + hour * 3600 + (minute - east) * 60 + second;
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, "0"));
}

function endOfDigits(text: string, from: number): number {
  let end = from;
  while (end < text.length && !Number.isNaN(digits(text, end, 1))) end += 1;
  return end;
}

/** Minutes east of Greenwich that a zone says, which is the rest of the text; none is 0. */
function offset(text: string, at: number): number | undefined {
  const length = text.length - at;
  const sign = text[at];
  if (length === 0 || (length === 1 && (sign === "Z" || sign === "z"))) return 0;
  if (sign !== "+" && sign !== "-") return undefined;
  const colon = text[at + 3] === ":" ? 1 : 0;
  if (length !== 3 && length !== 5 + colon) return undefined;
  const hours = digits(text, at + 1, 2);
  const minutes = length === 3 ? 0 : digits(text, at + 3 + colon, 2);
  if (!(hours <= 23 && minutes <= 59)) return undefined;
  return (60 * hours + minutes) * (sign === "-" ? -1 : 1);
}

/** `YYYY-MM-DD`. */
export function showDays(value: number): string {
  const date = new Date(value * 86_400_000);
  const padded = (number: number, length: number) => String(number).padStart(length, "0");
  return `${padded(date.getUTCFullYear(), 4)}-${padded(date.getUTCMonth() + 1, 2)}-${padded(date.getUTCDate(), 2)}`;
}

/** A time in UTC, with a fraction only where it has one; `zone` is written after it. */
export function showMicros(value: bigint, zone: string): string {
  const fraction = Number(((value % 1_000_000n) + 1_000_000n) % 1_000_000n);
  const seconds = Number((value - BigInt(fraction)) / 1_000_000n);
  const ofDay = ((seconds % 86_400) + 86_400) % 86_400;
  const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
  const clock = `${two(ofDay / 3600)}:${two((ofDay / 60) % 60)}:${two(ofDay % 60)}`;
  const tail = fraction === 0 ? "" : `.${String(fraction).padStart(6, "0")}`;
  return `${showDays((seconds - ofDay) / 86_400)}T${clock}${tail}${zone}`;
}
