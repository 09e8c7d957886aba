import { expect, test } from 'vitest';
import { around, diff } from './diff';

const shown = (before: string, after: string) =>
  diff(before, after).map(({ kind, text }) => `${{ same: ' ', gone: '-', new: '+' }[kind]}${text}`);

test('what was changed, added and taken away is told apart', () => {
  expect(shown('a\nb\nc\nd', 'a\nx\nc\nd\ne')).toEqual([' a', '-b', '+x', ' c', ' d', '+e']);
  expect(shown('a\nb\nc', 'b\nc')).toEqual(['-a', ' b', ' c']);
  expect(shown('', 'a')).toEqual(['-', '+a']);
});

test('the same text has no change', () => {
  expect(diff('a\nb', 'a\nb').every(line => line.kind === 'same')).toBe(true);
});

test('lines far from a change are left out', () => {
  const before = Array.from({ length: 20 }, (_, index) => `line ${index}`).join('\n');
  const kept = around(diff(before, before.replace('line 10', 'other')), 1);
  expect(kept.map(line => line?.text)).toEqual([undefined, 'line 9', 'line 10', 'other', 'line 11', undefined]);
});
