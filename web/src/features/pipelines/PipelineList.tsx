import { Badge, Group, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconRoute, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { PipelineView } from '~/api/schema.gen';
import { allConnectionsQuery } from '~/features/connections/queries';
import { number } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Empty } from '~/ui/Empty';
import { type Column, Listing } from '~/ui/Listing';
import { TextLink } from '~/ui/links';
import { Name } from '~/ui/Name';
import { SearchField } from '~/ui/SearchField';
import { Ago } from '~/ui/Time';
import { definitionOf, sinkOf } from './definition';
import { pipelinesQuery } from './queries';

function ScheduleCell({ pipeline }: { pipeline: PipelineView }) {
  const { schedule } = definitionOf(pipeline.definition);
  if (!schedule)
    return (
      <Text span size="sm" c="dimmed">
        {t.pipelines.byHand}
      </Text>
    );
  const off = !pipeline.enabled || schedule.enabled === false;
  return (
    <Group gap={6} wrap="nowrap">
      <Name size="sm" ff="monospace">
        {schedule.cron}
      </Name>
      {off && (
        <Badge color="gray" variant="light" tt="none" title={t.pipelines.offHint}>
          {t.pipelines.off}
        </Badge>
      )}
    </Group>
  );
}

interface Props {
  /** Only those that read from it. */
  connection?: string;
  /** What stands there when there is none. */
  empty?: ReactNode;
  action?: ReactNode;
}

export function PipelineList({ connection, empty, action }: Props) {
  const { tenant } = useHere();
  const [typed, type] = useState('');
  const [contains] = useDebouncedValue(typed.trim(), 250);
  const query = useInfiniteQuery(pipelinesQuery(tenant, { connection, contains: contains || undefined }));
  const connections = useQuery({ ...allConnectionsQuery(tenant), enabled: connection === undefined });
  const names = new Map(connections.data?.items.map(each => [each.id, each.name]));
  const columns: Column<PipelineView>[] = [
    {
      title: t.pipelines.columns.name,
      width: 20,
      cell: pipeline => (
        <TextLink to="/t/$tenant/pipelines/$pipeline" params={{ tenant, pipeline: pipeline.id }} display="block">
          <Name>{pipeline.name}</Name>
        </TextLink>
      ),
    },
    { title: t.pipelines.columns.schedule, cell: pipeline => <ScheduleCell pipeline={pipeline} /> },
    {
      title: t.pipelines.columns.streams,
      end: true,
      cell: pipeline => number(definitionOf(pipeline.definition).streams.length),
    },
    {
      title: t.pipelines.columns.sink,
      wide: true,
      cell: pipeline => <Name size="sm">{sinkOf(definitionOf(pipeline.definition))}</Name>,
    },
    { title: t.pipelines.columns.changed, wide: true, cell: pipeline => <Ago at={pipeline.updated_at} /> },
  ];
  if (connection === undefined) {
    columns.splice(3, 0, {
      title: t.pipelines.columns.connection,
      wide: true,
      cell: pipeline => <Name size="sm">{names.get(pipeline.connection) ?? ''}</Name>,
    });
  }
  return (
    <Stack>
      <SearchField label={t.pipelines.search} value={typed} change={type} />
      <Listing
        label={t.pipelines.title}
        columns={columns}
        query={query}
        id={pipeline => pipeline.id}
        empty={
          contains ? (
            <Empty icon={IconSearch} title={t.pipelines.emptySearch}>
              {t.pipelines.emptySearchHint}
            </Empty>
          ) : (
            (empty ?? (
              <Empty icon={IconRoute} title={t.pipelines.empty} action={action}>
                {t.pipelines.emptyHint}
              </Empty>
            ))
          )
        }
      />
    </Stack>
  );
}
