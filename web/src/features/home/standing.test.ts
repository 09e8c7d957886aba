import { expect, test } from 'vitest';
import type { StandingView } from '~/api/schema.gen';
import { needsCare, sorted } from './standing';

const standing = (name: string, freshness: string, state?: string): StandingView => ({
  id: name,
  name,
  enabled: true,
  freshness,
  failures_day: 0,
  failures_week: 0,
  last_run: state ? { id: 'run', state, ended_at: '2026-01-01T00:00:00Z' } : null,
});

test('late data and a failed run need care, a schedule that is off does not', () => {
  expect(needsCare(standing('a', 'late'))).toBe(true);
  expect(needsCare(standing('a', 'fresh', 'failed'))).toBe(true);
  expect(needsCare(standing('a', 'unscheduled', 'succeeded'))).toBe(false);
});

test('what needs care stands first', () => {
  const list = [
    standing('d', 'fresh', 'succeeded'),
    standing('c', 'unscheduled'),
    standing('b', 'fresh', 'failed'),
    standing('a', 'fresh', 'succeeded'),
    standing('e', 'late', 'succeeded'),
  ];
  expect(sorted(list).map(({ name }) => name)).toEqual(['e', 'b', 'a', 'd', 'c']);
});
