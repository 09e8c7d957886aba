import { expect, test } from 'vitest';
import { days, startsOf } from './days';

test('starts stand on their days in the order of the clock', () => {
  const now = new Date(2026, 0, 31, 12);
  const start = (day: number, hour: number) => ({ at: new Date(2026, 0, day, hour), pipeline: 'p', name: 'p' });
  const week = days([start(32, 9), start(31, 20), start(31, 13), start(45, 1)], now);
  expect(week.length).toBe(7);
  expect(week.map(({ starts }) => starts.map(({ at }) => at.getHours()))).toEqual([[13, 20], [9], [], [], [], [], []]);
});

test('each start of each pipeline is one', () => {
  const of = (pipeline: string, ...starts: string[]) => ({ pipeline, name: pipeline, starts, more: false });
  const starts = startsOf([of('a', '2026-01-31T08:00:00Z', '2026-02-01T08:00:00Z'), of('b', '2026-01-31T09:00:00Z')]);
  expect(starts.map(({ pipeline, at }) => `${pipeline} ${at.getUTCHours()}`)).toEqual(['a 8', 'a 8', 'b 9']);
});
