import { expect, test } from 'vitest';
import { days } from './days';

test('starts stand on their days in the order of the clock', () => {
  const now = new Date(2026, 0, 31, 12);
  const start = (day: number, hour: number) => ({ at: new Date(2026, 0, day, hour), pipeline: 'p', name: 'p' });
  const week = days([start(32, 9), start(31, 20), start(31, 13), start(45, 1)], now);
  expect(week.length).toBe(7);
  expect(week.map(({ starts }) => starts.map(({ at }) => at.getHours()))).toEqual([[13, 20], [9], [], [], [], [], []]);
});
