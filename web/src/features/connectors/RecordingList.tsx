import { ActionIcon, Button, FileButton, Group, Text } from '@mantine/core';
import { IconDownload, IconTrash, IconUpload } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { itemsOf, key } from '~/api/query';
import type { ConnectorView, RecordingView } from '~/api/schema.gen';
import { Who } from '~/features/shared/Who';
import { bytes, number } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Confirm } from '~/ui/Confirm';
import { type Column, Rows } from '~/ui/Listing';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';
import { Ago } from '~/ui/Time';
import { fileOf, forget, keep, recordingsQuery } from './recordings';

/** What another version of a connector must do as well. Of connectors that come with the service there is none. */
export function RecordingList({ connector }: { connector: Pick<ConnectorView, 'name' | 'origin'> }) {
  if (connector.origin === 'built-in') return null;
  return <Kept name={connector.name} />;
}

function Kept({ name }: { name: string }) {
  const { tenant, may } = useHere();
  const query = useInfiniteQuery(recordingsQuery(tenant, name));
  const [leaving, setLeaving] = useState<string>();
  const add = useAct({
    run: (file: File) => keep(tenant, name, file),
    stale: [key(tenant, 'connectors', 'recordings', name)],
    said: recording => t.recordings.added(recording.name),
    quiet: true,
  });
  const items = itemsOf(query.data);
  const problem = add.error ?? query.error;
  const words = t.recordings.columns;
  const columns: Column<RecordingView>[] = [
    { title: words.name, width: 16, cell: one => <Name size="sm">{one.name}</Name> },
    { title: words.version, cell: one => one.version },
    { title: words.rows, end: true, cell: one => number(one.rows) },
    { title: words.size, end: true, cell: one => bytes(one.size), wide: true },
    { title: words.at, cell: one => <Ago at={one.added_at} />, wide: true },
    { title: words.by, cell: one => <Who id={one.added_by} />, wide: true },
    {
      title: t.common.actions,
      end: true,
      cell: one => <Actions name={name} recording={one.name} leave={setLeaving} />,
    },
  ];
  return (
    <Panel
      title={t.recordings.title}
      hint={t.recordings.lead}
      flush={items.length > 0}
      actions={
        may('connectors-write') && (
          <FileButton accept=".jsonl" onChange={file => file && add.mutate(file)}>
            {props => (
              <Button
                {...props}
                variant="default"
                size="xs"
                loading={add.isPending}
                leftSection={<IconUpload size={14} aria-hidden />}
              >
                {t.recordings.add}
              </Button>
            )}
          </FileButton>
        )
      }
    >
      {problem && <ProblemAlert error={problem} />}
      {query.isSuccess && items.length === 0 && <Text size="sm">{t.recordings.none}</Text>}
      {items.length > 0 && <Rows label={t.recordings.title} columns={columns} items={items} id={one => one.name} />}
      <Leave name={name} recording={leaving} close={() => setLeaving(undefined)} />
    </Panel>
  );
}

function Actions({ name, recording, leave }: { name: string; recording: string; leave: (recording: string) => void }) {
  const { tenant, may } = useHere();
  return (
    <Group gap={4} justify="flex-end" wrap="nowrap">
      {may('rows-preview') && (
        <ActionIcon
          component="a"
          href={fileOf(tenant, name, recording)}
          download
          variant="subtle"
          color="gray"
          aria-label={t.recordings.fetch(recording)}
        >
          <IconDownload size={16} aria-hidden />
        </ActionIcon>
      )}
      {may('connectors-write') && (
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t.recordings.remove(recording)}
          onClick={() => leave(recording)}
        >
          <IconTrash size={16} aria-hidden />
        </ActionIcon>
      )}
    </Group>
  );
}

function Leave({ name, recording, close }: { name: string; recording?: string; close: () => void }) {
  const { tenant } = useHere();
  const remove = useAct({
    run: () => forget(tenant, name, recording ?? ''),
    stale: [key(tenant, 'connectors', 'recordings', name)],
    said: t.recordings.removed,
    done: close,
  });
  return (
    <Confirm
      opened={recording !== undefined}
      close={close}
      title={t.recordings.removeTitle}
      action={t.common.remove}
      confirm={() => remove.mutate()}
      busy={remove.isPending}
      danger
    >
      {t.recordings.removeHint(recording ?? '')}
    </Confirm>
  );
}
