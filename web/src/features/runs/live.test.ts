import { expect, test } from 'vitest';
import { pace, thinned } from './live';

test('the pace is what was read since the last count', () => {
  const first = pace(undefined, { at: 0, rows: 0, attempt: 1 });
  const second = pace(first.keep, { at: 2_000, rows: 500, attempt: 1 });
  expect(first.point).toBeUndefined();
  expect(second.point).toEqual({ at: 2_000, value: 250 });
});

test('counts that follow each other at once are taken together', () => {
  const before = { at: 0, rows: 0, attempt: 1 };
  expect(pace(before, { at: 300, rows: 50, attempt: 1 })).toEqual({ keep: before });
});

test('another attempt begins to count anew', () => {
  const begun = { at: 3_000, rows: 10, attempt: 2 };
  expect(pace({ at: 0, rows: 900, attempt: 1 }, begun)).toEqual({ keep: begun });
});

test('a long run keeps a bounded number of points, to its end', () => {
  const points = Array.from({ length: 601 }, (_, at) => ({ at, value: 10 }));
  const kept = thinned(points);
  expect(kept.length).toBe(300);
  expect(kept.at(-1)).toEqual({ at: 599, value: 10 });
});
