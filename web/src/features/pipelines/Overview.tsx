import { Alert, Stack, Switch, Table, Text } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { itemsOf, key } from '~/api/query';
import type { PipelineView, ScheduleView } from '~/api/schema.gen';
import { connectionQuery } from '~/features/connections/queries';
import { runsQuery } from '~/features/runs/queries';
import { useRunColumns } from '~/features/runs/RunList';
import { Who } from '~/features/shared/Who';
import { ago, inZone, list, number, ownZone } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { FactList } from '~/ui/FactList';
import { Rows } from '~/ui/Listing';
import { Loaded } from '~/ui/Loaded';
import { TextLink } from '~/ui/links';
import { Panel } from '~/ui/Panel';
import { Ago, useNow } from '~/ui/Time';
import { definitionOf, sinkOf, targetsOf } from './definition';
import { scheduleQuery } from './queries';

export function Overview({ pipeline }: { pipeline: PipelineView }) {
  const { tenant } = useHere();
  const definition = definitionOf(pipeline.definition);
  const connection = useQuery(connectionQuery(tenant, pipeline.connection));
  const attempts = Number(definition.retry?.max_attempts ?? 3);
  return (
    <Stack>
      <Panel title={t.pipelines.facts}>
        <FactList
          facts={[
            [
              t.pipelines.connection,
              <TextLink
                key="connection"
                to="/t/$tenant/connections/$connection"
                params={{ tenant, connection: pipeline.connection }}
                size="sm"
              >
                <bdi>{connection.data?.name ?? pipeline.connection}</bdi>
              </TextLink>,
            ],
            [t.pipelines.sink, sinkOf(definition)],
            [t.pipelines.columns.streams, number(definition.streams.length)],
            [t.pipelines.retries, t.pipelines.attempts(number(attempts))],
            [t.pipelines.told, list(targetsOf(definition))],
            [t.pipelines.revision, number(pipeline.revision)],
            [
              t.pipelines.changed,
              <span key="changed">
                <Ago at={pipeline.updated_at} /> · <Who id={pipeline.updated_by} />
              </span>,
            ],
          ]}
        />
      </Panel>
      <div className="halves">
        <Schedule pipeline={pipeline} />
        <Latest pipeline={pipeline} />
      </div>
    </Stack>
  );
}

function Schedule({ pipeline }: { pipeline: PipelineView }) {
  const { tenant, may } = useHere();
  const query = useQuery(scheduleQuery(tenant, pipeline.id));
  const path = { tenant, pipeline: pipeline.id };
  const follow = useAct({
    run: (on: boolean) =>
      on
        ? answer(api.POST('/v1/tenants/{tenant}/pipelines/{pipeline}/enable', { params: { path } }))
        : answer(api.POST('/v1/tenants/{tenant}/pipelines/{pipeline}/disable', { params: { path } })),
    stale: [key(tenant, 'pipelines')],
    said: now => (now.enabled ? t.pipelines.enabled : t.pipelines.disabled),
  });
  return (
    <Panel title={t.pipelines.schedule}>
      <Loaded query={query} lines={3}>
        {schedule =>
          schedule.description ? (
            <Stack>
              <Text>{schedule.description}</Text>
              <Switch
                label={t.pipelines.enable}
                checked={pipeline.enabled}
                disabled={!may('schedules-switch') || follow.isPending}
                onChange={event => follow.mutate(event.currentTarget.checked)}
              />
              {schedule.blackout && <Alert color="yellow">{t.pipelines.inBlackout}</Alert>}
              {schedule.followed && <NextRuns schedule={schedule} />}
            </Stack>
          ) : (
            <Text c="dimmed">{t.pipelines.noSchedule}</Text>
          )
        }
      </Loaded>
    </Panel>
  );
}

/** The next moments, on the reader's wall and on that of the schedule. */
function NextRuns({ schedule }: { schedule: ScheduleView }) {
  const now = useNow();
  const own = ownZone();
  const zone = schedule.time_zone ?? 'UTC';
  return (
    <Table>
      <caption className="caption">{t.pipelines.next}</caption>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t.pipelines.here(own)}</Table.Th>
          {zone !== own && <Table.Th>{t.pipelines.there(zone)}</Table.Th>}
          <Table.Th />
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {schedule.next.slice(0, 5).map(at => (
          <Table.Tr key={at}>
            <Table.Td>{inZone(at, own)}</Table.Td>
            {zone !== own && <Table.Td>{inZone(at, zone)}</Table.Td>}
            <Table.Td c="dimmed">{ago(at, now)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Latest({ pipeline }: { pipeline: PipelineView }) {
  const { tenant } = useHere();
  const query = useInfiniteQuery(runsQuery(tenant, { pipeline: pipeline.id }, 5));
  const columns = useRunColumns(false).filter(column => !column.wide);
  const runs = itemsOf(query.data);
  return (
    <Panel title={t.pipelines.latest} flush>
      {runs.length > 0 ? (
        <Rows label={t.pipelines.latest} columns={columns} items={runs.slice(0, 5)} id={run => run.id} />
      ) : (
        <Text c="dimmed" p="md" pt={0}>
          {query.isPending ? t.common.loading : t.runs.emptyHint}
        </Text>
      )}
    </Panel>
  );
}
