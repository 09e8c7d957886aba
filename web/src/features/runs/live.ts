// A run that is under way, as its events tell it.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { type Connection, follow } from '~/api/events';
import { key } from '~/api/query';
import { reachability } from '~/api/reachability';
import type { ProgressView, RunDetails, RunView } from '~/api/schema.gen';
import type { Point } from '~/ui/charts/Line';
import { isFinal } from '~/ui/RunState';
import { runQuery } from './queries';

export interface Live {
  connection: Connection;
  progress?: ProgressView;
  /** Rows per second, between one event and the next. */
  throughput: Point[];
}

/** More points than this are thinned out: a run may go on for days. */
const MOST_POINTS = 600;
const APART_MS = 1_000;

export interface Seen {
  at: number;
  rows: number;
  attempt: number;
}

/** The next point of the chart, if enough time has passed since the last count. */
export function pace(before: Seen | undefined, now: Seen): { point?: Point; keep: Seen } {
  if (!before || before.attempt !== now.attempt || now.rows < before.rows) return { keep: now };
  const passed = now.at - before.at;
  if (passed < APART_MS) return { keep: before };
  return { point: { at: now.at, value: ((now.rows - before.rows) * 1_000) / passed }, keep: now };
}

export function thinned(points: Point[]): Point[] {
  if (points.length <= MOST_POINTS) return points;
  const half: Point[] = [];
  for (let index = 0; index + 1 < points.length; index += 2) {
    const [one, two] = [points[index], points[index + 1]];
    if (one && two) half.push({ at: two.at, value: (one.value + two.value) / 2 });
  }
  return half;
}

/** Follows a run until it has ended; what is told of its state goes into what the page has read of it. */
export function useLiveRun(tenant: string, run: RunView): Live {
  const client = useQueryClient();
  const [live, setLive] = useState<Live>({ connection: 'connecting', throughput: [] });
  const over = isFinal(run.state);
  useEffect(() => {
    if (over) return;
    let seen: Seen | undefined;
    const query = runQuery(tenant, run.id).queryKey;
    const told = (state: RunView) => {
      client.setQueryData(query, (old: RunDetails | undefined) => (old ? { ...old, run: state } : old));
      // An attempt has begun or ended: what there is of it is read anew.
      void client.invalidateQueries({ queryKey: query });
      if (!isFinal(state.state)) return undefined;
      void client.invalidateQueries({ queryKey: key(tenant, 'runs') });
      return 'end' as const;
    };
    const progressed = (progress: ProgressView) => {
      const rows = progress.streams.reduce((sum, stream) => sum + stream.rows_read, 0);
      const { point, keep } = pace(seen, { at: Date.now(), rows, attempt: progress.attempt });
      seen = keep;
      setLive(old => ({ ...old, progress, throughput: point ? thinned([...old.throughput, point]) : old.throughput }));
    };
    return follow(`/v1/tenants/${encodeURIComponent(tenant)}/runs/${encodeURIComponent(run.id)}/events`, {
      on: {
        state: data => told(data as RunView),
        progress: data => {
          progressed(data as ProgressView);
          return undefined;
        },
      },
      connection: connection => {
        if (connection === 'lost') reachability.suspect();
        setLive(old => ({ ...old, connection }));
      },
    });
  }, [client, tenant, run.id, over]);
  return live;
}
