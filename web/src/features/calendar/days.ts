import type { StartsView } from '~/api/schema.gen';

/** A moment at which a pipeline starts by itself. */
export interface Start {
  at: Date;
  pipeline: string;
  name: string;
}

export interface Day {
  date: Date;
  starts: Start[];
}

/** The starts of the next days, on the reader's calendar. */
export function days(starts: Start[], now: Date, count = 7): Day[] {
  const first = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  return Array.from({ length: count }, (_, index) => {
    // By the calendar, not by hours: a day on which clocks change has 23 or 25.
    const date = new Date(first.getFullYear(), first.getMonth(), first.getDate() + index);
    const next = new Date(first.getFullYear(), first.getMonth(), first.getDate() + index + 1);
    const own = starts.filter(({ at }) => at >= date && at < next);
    return { date, starts: own.sort((one, other) => one.at.getTime() - other.at.getTime()) };
  });
}

/** Every start by itself, of what the service tells of each pipeline. */
export function startsOf(pipelines: StartsView[]): Start[] {
  return pipelines.flatMap(({ pipeline, name, starts }) => starts.map(at => ({ at: new Date(at), pipeline, name })));
}
