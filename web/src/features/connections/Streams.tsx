import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconRefresh, IconSearch, IconTable } from '@tabler/icons-react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import type { StreamView } from '~/api/schema.gen';
import { ago, bytes, number } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Empty } from '~/ui/Empty';
import { type Column, Listing } from '~/ui/Listing';
import { Name } from '~/ui/Name';
import { PagedRows } from '~/ui/PagedRows';
import { Preview } from './Preview';
import { streamsQuery } from './queries';

/** What a connection offers, searched at the service: there may be tens of thousands. */
export function Streams({ connection }: { connection: string }) {
  const { tenant, may } = useHere();
  const client = useQueryClient();
  const [typed, type] = useState('');
  const [contains] = useDebouncedValue(typed.trim(), 300);
  const [shown, show] = useState<StreamView>();
  const [looked, look] = useState<string>();
  const options = streamsQuery(tenant, connection, contains);
  const query = useInfiniteQuery(options);
  const refresh = useAct({
    run: () =>
      answer(
        api.GET('/v1/tenants/{tenant}/connections/{connection}/streams', {
          params: { path: { tenant, connection }, query: { refresh: true, limit: 1 } },
        }),
      ),
    done: () => void client.resetQueries({ queryKey: options.queryKey }),
  });
  const columns: Column<StreamView>[] = [
    {
      title: t.runs.stream,
      width: 22,
      cell: stream => (
        <>
          <Name size="sm" fw={500}>
            {stream.id}
          </Name>
          {stream.description && (
            <Text size="xs" c="dimmed" truncate>
              <bdi>{stream.description}</bdi>
            </Text>
          )}
        </>
      ),
    },
    { title: t.connections.kind, cell: stream => stream.kind, wide: true },
    {
      title: t.connections.columnsTitle,
      end: true,
      cell: stream => (
        <Button
          variant="subtle"
          size="compact-sm"
          onClick={() => show(stream)}
          aria-label={`${t.connections.columnsOf(number(stream.columns.length))}: ${stream.id}`}
        >
          {number(stream.columns.length)}
        </Button>
      ),
    },
    { title: t.connections.rows, end: true, cell: stream => (stream.rows == null ? '' : `≈ ${number(stream.rows)}`) },
    {
      title: t.connections.size,
      end: true,
      wide: true,
      cell: stream => (stream.bytes == null ? '' : bytes(stream.bytes)),
    },
    { title: t.connections.key, wide: true, cell: stream => <Name size="sm">{stream.primary_key.join(', ')}</Name> },
    {
      title: t.connections.cursors,
      wide: true,
      cell: stream => <Name size="sm">{stream.cursor_candidates.join(', ')}</Name>,
    },
  ];
  if (may('rows-preview')) {
    columns.push({
      title: t.common.actions,
      end: true,
      cell: stream => (
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => look(stream.id)}
          aria-label={`${t.connections.preview}: ${stream.id}`}
        >
          {t.connections.preview}
        </Button>
      ),
    });
  }
  const read = query.data?.pages[0];
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <TextInput
          type="search"
          label={t.connections.streamsSearch}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={typed}
          onChange={event => type(event.currentTarget.value)}
          w={320}
        />
        <Group gap="sm">
          {read && 'read_at' in read && (
            <Text size="sm" c="dimmed">
              {t.connections.streamsHint(ago(String(read.read_at)))}
            </Text>
          )}
          <Button
            variant="default"
            leftSection={<IconRefresh size={16} aria-hidden />}
            loading={refresh.isPending}
            onClick={() => refresh.mutate()}
          >
            {t.connections.refresh}
          </Button>
        </Group>
      </Group>
      <Listing
        label={t.connections.tabs.streams}
        columns={columns}
        query={query}
        id={stream => stream.id}
        empty={
          <Empty icon={IconTable} title={contains ? t.connections.streamsNone : t.connections.streamsEmpty}>
            {!contains && t.connections.streamsEmptyHint}
          </Empty>
        }
      />
      <Modal
        opened={shown !== undefined}
        onClose={() => show(undefined)}
        title={<Name>{shown?.id ?? ''}</Name>}
        size="lg"
      >
        {shown && <Columns stream={shown} />}
      </Modal>
      <Modal
        opened={looked !== undefined}
        onClose={() => look(undefined)}
        title={<Name>{looked ?? ''}</Name>}
        size="90%"
      >
        {looked && <Preview connection={connection} stream={looked} />}
      </Modal>
    </Stack>
  );
}

type ColumnOf = StreamView['columns'][number];

const COLUMNS: Column<ColumnOf>[] = [
  { title: t.common.name, cell: column => <Name size="sm">{column.name}</Name> },
  { title: t.connections.kind, cell: column => column.type },
  { title: '', cell: column => (column.nullable ? t.connections.nullable : '') },
];
const nameOf = (column: ColumnOf) => column.name;

function Columns({ stream }: { stream: StreamView }) {
  return (
    <PagedRows label={t.connections.columnsTitle} columns={COLUMNS} items={stream.columns} id={nameOf} text={nameOf} />
  );
}
