/** Dates and times as JSON APIs write them: strictly, to the microsecond, from the year 1 to 9999. */

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

const MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Days since 1970-01-01 of `YYYY-MM-DD`. */
export function days(text: string): number | undefined {
  const [, year, month, day] = DATE.exec(text)?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined || year === 0) return undefined;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const length = (MONTHS[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0);
  if (day === 0 || day > length) return undefined;
  // Counted in years that begin in March.
  const of = month > 2 ? year : year - 1;
  const ofYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return of * 365 + Math.floor(of / 4) - Math.floor(of / 100) + Math.floor(of / 400) + ofYear - 719_468;
}

/** Microseconds since 1970, and whether there was a zone. A date alone is its midnight. Digits beyond microseconds must be zeros. */
export function micros(text: string): { value: bigint; zoned: boolean } | undefined {
  const found = TIME.exec(text);
  const day = days(found?.[1] ?? "");
  if (found === null || day === undefined) return undefined;
  const part = (at: number) => Number(found[at] ?? 0);
  const [hour, minute, second, eastHours, eastMinutes] = [part(2), part(3), part(4), part(8), part(9)];
  const fraction = found[5] ?? "";
  if (hour > 23 || minute > 59 || second > 59 || eastHours > 23 || eastMinutes > 59) return undefined;
  if (/[^0]/.test(fraction.slice(6))) return undefined;
  const east = (eastHours * 60 + eastMinutes) * (found[7] === "-" ? -1 : 1);
  const seconds = day * 86_400 + hour * 3600 + (minute - east) * 60 + second;
  const value = BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, "0"));
  return { value, zoned: (found[6] ?? found[7]) !== undefined };
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
