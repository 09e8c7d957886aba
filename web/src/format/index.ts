// Numbers, times and names as the reader's locale writes them.

const locale = (): string | undefined => globalThis.navigator?.language;

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

const numbers = lazily(() => new Intl.NumberFormat(locale()));
const compact = lazily(() => new Intl.NumberFormat(locale(), { notation: 'compact', maximumFractionDigits: 1 }));
const percents = lazily(() => new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 0 }));
const moments = lazily(() => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium' }));
const minutes = lazily(() => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short' }));
const days = lazily(() => new Intl.DateTimeFormat(locale(), { dateStyle: 'medium' }));
const clocks = lazily(() => new Intl.DateTimeFormat(locale(), { timeStyle: 'medium' }));
const shortClocks = lazily(() => new Intl.DateTimeFormat(locale(), { timeStyle: 'short' }));
const shortDays = lazily(() => new Intl.DateTimeFormat(locale(), { day: 'numeric', month: 'short' }));
const weekdays = lazily(() => new Intl.DateTimeFormat(locale(), { weekday: 'long', day: 'numeric', month: 'short' }));
const relative = lazily(() => new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }));
const lists = lazily(() => new Intl.ListFormat(locale(), { type: 'conjunction' }));

export const number = (value: number): string => numbers().format(value);
export const short = (value: number): string => compact().format(value);
export const percent = (part: number): string => percents().format(part);
export const list = (items: string[]): string => lists().format(items);

/** A moment with seconds: 23 Nov 2026, 20:15:07. */
export const moment = (at: string | Date): string => moments().format(new Date(at));
/** A moment without: 23 Nov 2026, 20:15. */
export const minute = (at: string | Date): string => minutes().format(new Date(at));
export const day = (at: string | Date): string => days().format(new Date(at));
export const clock = (at: string | Date): string => clocks().format(new Date(at));
export const shortClock = (at: string | Date): string => shortClocks().format(new Date(at));
export const weekday = (at: string | Date): string => weekdays().format(new Date(at));
export const shortDay = (at: string | Date): string => shortDays().format(new Date(at));

/** A moment on the wall of another zone; an unknown zone is read as UTC. */
export function inZone(at: string | Date, zone: string): string {
  const options = { dateStyle: 'medium', timeStyle: 'short' } as const;
  try {
    return new Intl.DateTimeFormat(locale(), { ...options, timeZone: zone }).format(new Date(at));
  } catch {
    return new Intl.DateTimeFormat(locale(), { ...options, timeZone: 'UTC' }).format(new Date(at));
  }
}

export const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** "3 minutes ago", "in 2 days". */
export function ago(at: string | Date, now: number = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1_000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative().format(Math.trunc(seconds / size), unit);
  }
  return relative().format(Math.trunc(seconds), 'second');
}

function unit(value: number, name: string, digits: number): string {
  const options = { style: 'unit', unit: name, unitDisplay: 'narrow', maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(locale(), options).format(value);
}

/** A length of time in its two largest units: 2h 5m, 41.3s, 120ms. */
export function duration(ms: number): string {
  if (ms < 1_000) return unit(Math.max(0, Math.round(ms)), 'millisecond', 0);
  if (ms < 60_000) return unit(ms / 1_000, 'second', ms < 10_000 ? 1 : 0);
  const parts: [string, number][] = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1_000],
  ];
  const first = parts.findIndex(([, size]) => ms >= size);
  const [[large, size], next] = [parts[first] ?? ['second', 1_000], parts[first + 1]];
  const rest = next ? Math.floor((ms % size) / next[1]) : 0;
  const head = unit(Math.floor(ms / size), large, 0);
  return next && rest > 0 ? `${head} ${unit(rest, next[0], 0)}` : head;
}

const BYTES = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'];

export function bytes(value: number): string {
  const step = value < 1 ? 0 : Math.min(BYTES.length - 1, Math.floor(Math.log10(value) / 3));
  const options = {
    style: 'unit',
    unit: BYTES[step] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: 1,
  } as const;
  return new Intl.NumberFormat(locale(), options).format(value / 1_000 ** step);
}
