// Windows in which nothing starts, as a schedule writes them.
import type { Blackout } from './draft';

export const WEEK = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Whether a window comes once: its ends are dates then, otherwise times of the day. */
export const isOnce = ({ from, to }: Blackout): boolean => from.includes('-') || to.includes('-');

/** Ends that are whole days as the fields for moments have them. */
export function withMoments(blackout: Blackout): Blackout {
  const moment = (text: string) => (DAY.test(text) ? `${text}T00:00` : text);
  return { ...blackout, from: moment(blackout.from), to: moment(blackout.to) };
}

/** The same window the other way: a weekly one as tonight's, one that comes once as one of every day. */
export function turned(blackout: Blackout, once: boolean, now: Date): Blackout {
  if (isOnce(blackout) === once) return blackout;
  const { days: _, ...rest } = blackout;
  if (!once) return { ...rest, from: '22:00', to: '06:00' };
  const on = (days: number) => {
    const date = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
    return [date.getFullYear(), date.getMonth() + 1, date.getDate()]
      .map(part => String(part).padStart(2, '0'))
      .join('-');
  };
  return { ...rest, from: `${on(0)}T22:00`, to: `${on(1)}T06:00` };
}
