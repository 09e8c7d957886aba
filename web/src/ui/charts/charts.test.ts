import { expect, test } from 'vitest';
import { path, ticks } from './scale';

test('an axis has round numbers up to the largest value', () => {
  expect(ticks(97)).toEqual([0, 25, 50, 75, 100]);
  expect(ticks(3)).toEqual([0, 1, 2, 3]);
  expect(ticks(0)).toEqual([0, 1]);
  expect(ticks(1_234_567).at(-1)).toBeGreaterThanOrEqual(1_234_567);
});

test('a line goes from point to point', () => {
  expect(
    path([
      [0, 1],
      [2, 3.25],
    ]),
  ).toBe('M0.0 1.0L2.0 3.3');
});
