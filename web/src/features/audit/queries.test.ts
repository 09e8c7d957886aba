import { expect, test } from 'vitest';
import { asked, isEmpty } from './queries';

const nothing = { contains: ' ', actor: null, from: '', to: '' };

test('nothing is asked for where nothing is said', () => {
  expect(isEmpty(nothing)).toBe(true);
  expect(Object.values(asked(nothing)).filter(Boolean)).toEqual([]);
});

test('the last day belongs to what is looked for, by the reader’s own calendar', () => {
  const { from, until } = asked({ ...nothing, actor: 'host', from: '2026-01-31', to: '2026-01-31' });
  expect([from, until]).toEqual([new Date(2026, 0, 31).toISOString(), new Date(2026, 1, 1).toISOString()]);
});
