import { expect, test } from 'vitest';
import { isOnce, turned, withMoments } from './blackout';

const now = new Date(2026, 11, 31, 12);

test('a window of every week turns into one that comes once, and back', () => {
  const weekly = { from: '20:00', to: '04:00', days: ['sat'], reason: 'backups' };
  const once = turned(weekly, true, now);
  expect(once).toEqual({ from: '2026-12-31T22:00', to: '2027-01-01T06:00', reason: 'backups' });
  expect([isOnce(weekly), isOnce(once)]).toEqual([false, true]);
  expect(turned(once, false, now)).toEqual({ from: '22:00', to: '06:00', reason: 'backups' });
  expect(turned(weekly, false, now)).toBe(weekly);
});

test('whole days begin at midnight', () => {
  expect(withMoments({ from: '2026-12-24', to: '2026-12-27T12:00' })).toEqual({
    from: '2026-12-24T00:00',
    to: '2026-12-27T12:00',
  });
});
