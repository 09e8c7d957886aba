import type { StandingView } from '~/api/schema.gen';

/** Whether somebody should look at a pipeline: its data are late, or its last run failed. */
export function needsCare(standing: StandingView): boolean {
  return standing.freshness === 'late' || standing.last_run?.state === 'failed';
}

const ORDER = ['late', 'never', 'fresh', 'unscheduled'];

/** What needs care first, then the late before the fresh, then by name. */
export function sorted(pipelines: StandingView[]): StandingView[] {
  const rank = (of: StandingView) => (needsCare(of) ? 0 : 10) + ORDER.indexOf(of.freshness);
  return [...pipelines].sort((one, other) => rank(one) - rank(other) || one.name.localeCompare(other.name));
}
