import { expect, test } from 'vitest';
import { said, waits } from './retry';

test('what is as usual is not said', () => {
  expect(said({ max_attempts: 3, factor: 2, jitter: undefined })).toBeUndefined();
  expect(said({ max_attempts: 5, base_seconds: 30 })).toEqual({ max_attempts: 5 });
});

test('waits grow up to the longest', () => {
  expect(waits(undefined)).toEqual([30, 60]);
  expect(waits({ max_attempts: 1 })).toEqual([]);
  expect(waits({ max_attempts: 20, cap_seconds: 100 })).toEqual([30, 60, 100, 100, 100]);
});
