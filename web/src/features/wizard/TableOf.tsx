import { Collapse, Group, MultiSelect, Select, Text, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { t } from '~/texts';
import { Name } from '~/ui/Name';
import { columnsOf, type Misfit, type Stream, withLoad } from './draft';
import { changeStream, type StepProps } from './parts';
import { readStreams } from './queries';
import classes from './Wizard.module.css';

export const LOADS = ['transactional', 'catalog'] as const;
export const MISFITS = ['fail', 'set-null', 'quarantine'] as const;

interface Props extends StepProps {
  stream: Stream;
  /** Stands before the line. */
  choosing?: ReactNode;
}

/** One table: in a line how it is laid out, opened as a form. */
export function TableOf({ tenant, id, stream, kept, seen, saw, choosing }: Props) {
  const [opened, open] = useState(false);
  const look = useMutation({
    mutationFn: () => readStreams(tenant, id, stream.id),
    onSuccess: page => saw(page.items),
  });
  const turn = () => {
    // Of many streams only those are known that somebody has looked at.
    if (!opened && !seen.has(stream.id) && !look.isPending) look.mutate();
    open(!opened);
  };
  const Sign = opened ? IconChevronDown : IconChevronRight;
  const found = seen.get(stream.id)?.columns.map(column => column.name) ?? stream.columns ?? [];
  const columns = columnsOf(stream, found).map(name => stream.rename?.[name] ?? name);
  const set = (how: (stream: Stream) => Stream) => changeStream(kept, stream.id, how);
  const load = stream.load ?? 'transactional';
  const layout = [
    t.wizard.load.names[load],
    stream.partition ? t.wizard.load.by(stream.partition.column) : '',
    stream.cluster?.length ? t.wizard.load.clustered(stream.cluster.join(', ')) : '',
  ];
  return (
    <div className={classes.fold}>
      <Group gap="sm" wrap="nowrap">
        {choosing}
        <UnstyledButton onClick={turn} aria-expanded={opened} py="xs" flex={1} miw={0}>
          <Group gap="sm" wrap="nowrap">
            <Sign size={16} aria-hidden />
            <Name fw={500}>{stream.id}</Name>
            <Text size="sm" c="dimmed" truncate="end">
              {layout.filter(Boolean).join(' · ')}
            </Text>
          </Group>
        </UnstyledButton>
      </Group>
      <Collapse expanded={opened}>
        <div className={`halves ${classes.inner}`}>
          <Select
            label={t.wizard.load.title}
            data={LOADS.map(value => ({ value, label: t.wizard.load.names[value] }))}
            value={load}
            allowDeselect={false}
            onChange={value => set(before => withLoad(before, value as 'transactional' | 'catalog'))}
          />
          {load === 'transactional' ? (
            <Group align="flex-end" wrap="nowrap">
              <Select
                label={t.wizard.load.partition}
                placeholder={t.wizard.load.unpartitioned}
                data={columns}
                value={stream.partition?.column ?? null}
                clearable
                searchable
                limit={200}
                onChange={column =>
                  set(before => ({
                    ...before,
                    partition: column === null ? undefined : { unit: 'day', ...before.partition, column },
                  }))
                }
              />
              {stream.partition && (
                <Select
                  aria-label={t.wizard.load.unit}
                  data={['hour', 'day', 'month', 'year'].map(value => ({
                    value,
                    label: t.wizard.load.units[value] ?? value,
                  }))}
                  value={stream.partition.unit ?? 'day'}
                  allowDeselect={false}
                  onChange={unit =>
                    set(before => ({
                      ...before,
                      partition: before.partition && { ...before.partition, unit: unit ?? 'day' },
                    }))
                  }
                />
              )}
            </Group>
          ) : (
            <Text size="sm" c="dimmed">
              {t.wizard.load.snapshotPartition}
            </Text>
          )}
          <MultiSelect
            label={t.wizard.load.cluster}
            description={t.wizard.load.clusterHint}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            data={columns}
            value={stream.cluster ?? []}
            maxValues={4}
            searchable
            limit={200}
            onChange={cluster => set(before => ({ ...before, cluster: cluster.length > 0 ? cluster : undefined }))}
          />
          <Select
            label={t.wizard.load.misfit}
            description={t.wizard.load.misfitHint}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            data={MISFITS.map(value => ({ value, label: t.wizard.map.misfits[value] ?? value }))}
            value={stream.on_misfit ?? 'fail'}
            allowDeselect={false}
            onChange={value =>
              set(before => ({ ...before, on_misfit: value === 'fail' ? undefined : (value as Misfit) }))
            }
          />
        </div>
      </Collapse>
    </div>
  );
}
