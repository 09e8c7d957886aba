import { Select, Stack, Text } from '@mantine/core';
import { IconActivity } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type { RunView } from '~/api/schema.gen';
import { allPipelinesQuery } from '~/features/pipelines/queries';
import { duration, minute } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Empty } from '~/ui/Empty';
import { type Column, Listing } from '~/ui/Listing';
import { ButtonLink, TextLink } from '~/ui/links';
import { Name } from '~/ui/Name';
import { isFinal, RunState } from '~/ui/RunState';
import { Ago, useNow } from '~/ui/Time';
import { type RunFilter, runsQuery } from './queries';

/** How long a run took, or takes so far. */
export function Took({ run }: { run: RunView }) {
  const now = useNow(isFinal(run.state) ? undefined : 1_000);
  if (!run.started_at) return null;
  const until = run.ended_at ? Date.parse(run.ended_at) : now;
  return <span className="numbers">{duration(Math.max(0, until - Date.parse(run.started_at)))}</span>;
}

export function useRunColumns(withPipeline: boolean): Column<RunView>[] {
  const { tenant } = useHere();
  const pipelines = useQuery({ ...allPipelinesQuery(tenant), enabled: withPipeline });
  const names = new Map(pipelines.data?.items.map(pipeline => [pipeline.id, pipeline.name]));
  const first: Column<RunView> = withPipeline
    ? {
        title: t.runs.columns.pipeline,
        width: 16,
        cell: run => (
          <TextLink to="/t/$tenant/runs/$run" params={{ tenant, run: run.id }} display="block" maw="100%" size="sm">
            <Name size="sm">{names.get(run.pipeline) ?? run.pipeline}</Name>
          </TextLink>
        ),
      }
    : {
        title: t.runs.columns.run,
        cell: run => (
          <TextLink to="/t/$tenant/runs/$run" params={{ tenant, run: run.id }} size="sm">
            <time dateTime={run.queued_at}>{minute(run.queued_at)}</time>
          </TextLink>
        ),
      };
  const columns: Column<RunView>[] = [
    { title: t.runs.columns.state, cell: run => <RunState state={run.state} />, width: 14 },
    first,
    { title: t.runs.columns.queued, cell: run => <Ago at={run.queued_at} /> },
    { title: t.runs.columns.cause, cell: run => t.runs.causes[run.cause] ?? run.cause, wide: true },
    { title: t.runs.columns.day, cell: run => run.snapshot_date ?? '', wide: true },
    { title: t.runs.columns.attempts, cell: run => run.attempts, end: true, wide: true },
    { title: t.runs.columns.duration, cell: run => <Took run={run} />, end: true },
  ];
  return columns;
}

export function RunList({ filter, change }: { filter: RunFilter; change?: (filter: RunFilter) => void }) {
  const { tenant } = useHere();
  const query = useInfiniteQuery(runsQuery(tenant, filter));
  const columns = useRunColumns(filter.pipeline === undefined);
  return (
    <Stack>
      {change && (
        <Select
          label={t.runs.filterState}
          data={Object.entries(t.runs.states).map(([value, label]) => ({ value, label }))}
          value={filter.state ?? null}
          placeholder={t.runs.allStates}
          clearable
          onChange={state => change({ ...filter, state: state ?? undefined })}
          maw={240}
        />
      )}
      <Listing
        label={t.runs.title}
        columns={columns}
        query={query}
        id={run => run.id}
        empty={
          <Empty
            icon={IconActivity}
            title={filter.state ? t.runs.emptyFiltered : t.runs.empty}
            action={
              !filter.state &&
              !filter.pipeline && (
                <ButtonLink to="/t/$tenant/pipelines" params={{ tenant }} variant="default">
                  {t.runs.toPipelines}
                </ButtonLink>
              )
            }
          >
            <Text>{filter.state ? t.runs.emptyFilteredHint : t.runs.emptyHint}</Text>
          </Empty>
        }
      />
    </Stack>
  );
}
