import { expect, test } from 'vitest';
import { ago, bytes, duration, inZone } from '.';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

test('a length of time has its two largest units', () => {
  expect([120, 4_200, 41_000, 60_000, 125_000, 7_500_000, 90_000_000].map(ms => plain(duration(ms)))).toEqual([
    '120ms',
    '4.2s',
    '41s',
    '1m',
    '2m 5s',
    '2h 5m',
    '1d 1h',
  ]);
});

test('sizes count in thousands', () => {
  expect([0, 999, 1_000, 1_250_000, 3e12].map(value => plain(bytes(value)))).toEqual([
    '0 byte',
    '999 byte',
    '1 kB',
    '1.3 MB',
    '3 TB',
  ]);
});

test('a moment says how far it is', () => {
  const now = Date.parse('2026-01-31T12:00:00Z');
  expect(ago('2026-01-31T11:57:00Z', now)).toBe('3 minutes ago');
  expect(ago('2026-02-02T12:00:00Z', now)).toBe('in 2 days');
  expect(ago('2026-01-31T12:00:00Z', now)).toBe('now');
});

test('a moment is shown in the zone of a schedule, and in UTC where the browser does not know it', () => {
  expect(plain(inZone('2026-01-31T12:00:00Z', 'Europe/Berlin'))).toContain('1:00 PM');
  expect(plain(inZone('2026-01-31T12:00:00Z', 'Nowhere/Else'))).toContain('12:00 PM');
});
