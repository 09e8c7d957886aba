import { describe, expect, test } from 'vitest';
import { cronOf, simpleOf } from './schedule';

describe('a schedule in simple words', () => {
  test('comes back as it was said', () => {
    for (const cron of ['15 * * * *', '0 3 * * *', '30 22 * * mon-fri', '0 6 * * 7', '5 4 28 * *']) {
      expect(cronOf(simpleOf({ cron }), '')).toBe(cron);
    }
  });

  test('is custom where there are no such words', () => {
    for (const cron of ['*/5 * * * *', '@daily', '0 3 * 1 *', '0 3 1 * mon', '']) {
      expect(simpleOf({ cron }).preset).toBe('custom');
      expect(cronOf(simpleOf({ cron }), cron)).toBe(cron);
    }
  });

  test('is none without a schedule', () => {
    expect(simpleOf(undefined).preset).toBe('none');
    expect(cronOf(simpleOf(undefined), '')).toBeUndefined();
  });
});
