// The presets of a schedule and the cron expressions that they stand for.
import type { Schedule } from './draft';

export const PRESETS = ['none', 'hourly', 'daily', 'weekdays', 'weekly', 'monthly', 'custom'] as const;
export type Preset = (typeof PRESETS)[number];

export interface Simple {
  preset: Preset;
  /** Of the day, `HH:MM`; of an hourly one only the minutes count. */
  time: string;
  /** Of the week, 1 is Monday and 7 Sunday. */
  weekday: number;
  /** Of the month. */
  day: number;
}

const PLAIN: Simple = { preset: 'none', time: '03:00', weekday: 1, day: 1 };

/** What a schedule is in simple words; a cron expression that none of them says is `custom`. */
export function simpleOf(schedule: Schedule | undefined): Simple {
  if (!schedule) return PLAIN;
  const parts = schedule.cron.trim().split(/\s+/);
  const [minute, hour, day, month, weekday] = parts;
  const isNumber = (text: string | undefined): text is string => text !== undefined && /^\d{1,2}$/.test(text);
  const custom: Simple = { ...PLAIN, preset: 'custom' };
  if (parts.length !== 5 || month !== '*' || !isNumber(minute)) return custom;
  if (hour === '*' && day === '*' && weekday === '*') {
    return { ...PLAIN, preset: 'hourly', time: `00:${minute.padStart(2, '0')}` };
  }
  if (!isNumber(hour)) return custom;
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  if (day === '*' && weekday === '*') return { ...PLAIN, preset: 'daily', time };
  if (day === '*' && weekday === 'mon-fri') return { ...PLAIN, preset: 'weekdays', time };
  if (day === '*' && isNumber(weekday) && Number(weekday) <= 7) {
    return { ...PLAIN, preset: 'weekly', time, weekday: Number(weekday) || 7 };
  }
  if (isNumber(day) && weekday === '*') return { ...PLAIN, preset: 'monthly', time, day: Number(day) };
  return custom;
}

/** The cron expression of simple words; none for `none`, and what there was for `custom`. */
export function cronOf(simple: Simple, before: string): string | undefined {
  const [hour = '3', minute = '0'] = simple.time.split(':').map(part => String(Number(part)));
  switch (simple.preset) {
    case 'none':
      return undefined;
    case 'hourly':
      return `${minute} * * * *`;
    case 'daily':
      return `${minute} ${hour} * * *`;
    case 'weekdays':
      return `${minute} ${hour} * * mon-fri`;
    case 'weekly':
      return `${minute} ${hour} * * ${simple.weekday}`;
    case 'monthly':
      return `${minute} ${hour} ${simple.day} * *`;
    case 'custom':
      return before;
  }
}
