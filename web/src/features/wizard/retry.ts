// How often and how patiently a run is tried, in words.
import type { Retry } from './draft';

/** What holds where nothing is said. */
export const USUAL: Required<Retry> = { max_attempts: 3, base_seconds: 30, factor: 2, cap_seconds: 1_800, jitter: 0.5 };

/** Only what is not as usual; nothing if everything is. */
export function said(retry: Retry): Retry | undefined {
  const other = Object.entries(retry).filter(
    ([name, value]) => value !== undefined && value !== USUAL[name as keyof Retry],
  );
  return other.length > 0 ? Object.fromEntries(other) : undefined;
}

/** The longest waits between the attempts, in seconds; of many only the first. */
export function waits(retry: Retry | undefined, most = 5): number[] {
  const { max_attempts, base_seconds, factor, cap_seconds } = { ...USUAL, ...retry };
  const count = Math.max(0, Math.min(max_attempts - 1, most));
  return Array.from({ length: count }, (_, index) => Math.min(base_seconds * factor ** index, cap_seconds));
}
