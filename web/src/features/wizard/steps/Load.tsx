import {
  Autocomplete,
  Collapse,
  Group,
  MultiSelect,
  Select,
  Stack,
  Switch,
  Text,
  TextInput,
  Title,
  UnstyledButton,
} from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconDatabase, IconFolder } from '@tabler/icons-react';
import { useState } from 'react';
import { number } from '~/format';
import { t } from '~/texts';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import { columnsOf, type Definition, type Misfit, type Stream, withLoad } from '../draft';
import { Picture } from '../Picture';
import { changeStream, changeStreams, type StepProps } from '../parts';
import { Tile, Tiles } from '../Tiles';
import classes from '../Wizard.module.css';

const SHOWN = 50;

/** Where rows go, how they get in, and how tables are laid out. */
export function Load(props: StepProps) {
  const { draft, kept } = props;
  const { streams } = draft.definition;
  const loads = new Set(streams.map(stream => stream.load ?? 'transactional'));
  const all = loads.size === 1 ? [...loads][0] : undefined;
  const choose = (load: 'transactional' | 'catalog') =>
    changeStreams(kept, before => before.map(stream => withLoad(stream, load)));
  return (
    <Stack gap="lg">
      <Sink {...props} />
      <Panel title={t.wizard.load.title} hint={t.wizard.load.hint}>
        <Tiles radio className={classes.pair} label={t.wizard.load.title}>
          {(['transactional', 'catalog'] as const).map(load => (
            <Tile
              key={load}
              radio
              tall
              chosen={all === load}
              onChoose={() => choose(load)}
              label={t.wizard.load.names[load]}
            >
              <Title order={3} size="h5">
                {t.wizard.load.names[load]}
              </Title>
              <Text size="sm">{t.wizard.load.hints[load]}</Text>
              <Picture of={load} />
            </Tile>
          ))}
        </Tiles>
        {all === undefined && (
          <Text size="sm" mt="sm">
            {t.wizard.load.mixed}
          </Text>
        )}
        {all === 'catalog' && (
          <Text size="sm" c="dimmed" mt="sm">
            {t.wizard.load.catalogReads}
          </Text>
        )}
      </Panel>
      <Panel title={t.wizard.load.tables} hint={t.wizard.load.tablesHint}>
        <Stack gap={0}>
          {streams.slice(0, SHOWN).map(stream => (
            <TableOf key={stream.id} stream={stream} {...props} />
          ))}
          {streams.length > SHOWN && (
            <Text size="sm" c="dimmed" mt="sm">
              {t.wizard.load.more(number(streams.length - SHOWN))}
            </Text>
          )}
        </Stack>
      </Panel>
    </Stack>
  );
}

function Sink({ draft, kept, offers }: StepProps) {
  const sink = draft.definition.sink;
  const set = (next: Definition['sink']) =>
    kept.change(before => ({ ...before, definition: { ...before.definition, sink: next } }));
  const words = (name: string) => (typeof sink?.[name] === 'string' ? (sink[name] as string) : '');
  const change = (name: string, value: unknown) => sink && set({ ...sink, [name]: value === '' ? undefined : value });
  const first = offers.bigquery[0];
  const canBigquery = offers.bigquery.length > 0 || offers.endpoints;
  if (!canBigquery && !offers.local_warehouse) return <Text c="red">{t.wizard.load.noSink}</Text>;
  return (
    <Panel title={t.wizard.load.sink} hint={t.wizard.load.sinkHint}>
      <Stack>
        <Tiles radio label={t.wizard.load.sink}>
          {canBigquery && (
            <Tile
              radio
              chosen={sink?.type === 'bigquery'}
              label="BigQuery"
              onChoose={() =>
                sink?.type !== 'bigquery' &&
                set({ type: 'bigquery', project: first?.project ?? '', dataset: first?.dataset ?? '' })
              }
            >
              <IconDatabase aria-hidden />
              <div>
                <Text fw={600}>BigQuery</Text>
                <Text size="sm">{t.wizard.load.bigquery}</Text>
              </div>
            </Tile>
          )}
          {offers.local_warehouse && (
            <Tile
              radio
              chosen={sink?.type === 'local'}
              label={t.wizard.load.local}
              onChoose={() => sink?.type !== 'local' && set({ type: 'local', path: 'warehouse' })}
            >
              <IconFolder aria-hidden />
              <div>
                <Text fw={600}>{t.wizard.load.local}</Text>
                <Text size="sm">{t.wizard.load.localHint}</Text>
              </div>
            </Tile>
          )}
        </Tiles>
        {sink?.type === 'bigquery' && (
          <div className="halves">
            <Autocomplete
              label={t.wizard.load.project}
              data={[...new Set(offers.bigquery.map(one => one.project))]}
              value={words('project')}
              onChange={value => change('project', value)}
              withAsterisk
            />
            <Autocomplete
              label={t.wizard.load.dataset}
              description={t.wizard.load.datasetHint}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              data={offers.bigquery.flatMap(one => (one.project === sink.project && one.dataset ? [one.dataset] : []))}
              value={words('dataset')}
              onChange={value => change('dataset', value)}
              withAsterisk
            />
            <TextInput
              label={t.wizard.load.location}
              description={t.wizard.load.locationHint}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              placeholder="US"
              value={words('location')}
              onChange={event => change('location', event.currentTarget.value)}
            />
            {offers.endpoints && (
              <Stack gap="xs">
                <TextInput
                  label={t.wizard.load.rest}
                  value={words('rest_endpoint')}
                  onChange={event => change('rest_endpoint', event.currentTarget.value)}
                />
                <TextInput
                  label={t.wizard.load.grpc}
                  value={words('grpc_endpoint')}
                  onChange={event => change('grpc_endpoint', event.currentTarget.value)}
                />
                <Switch
                  label={t.wizard.load.anonymous}
                  checked={sink.anonymous === true}
                  onChange={event => change('anonymous', event.currentTarget.checked || undefined)}
                />
              </Stack>
            )}
          </div>
        )}
        {sink?.type === 'local' && (
          <TextInput
            label={t.wizard.load.path}
            description={t.wizard.load.pathHint}
            value={words('path')}
            error={words('path') === '' ? t.schemaForm.missing : undefined}
            onChange={event => change('path', event.currentTarget.value)}
            maw={420}
            withAsterisk
          />
        )}
      </Stack>
    </Panel>
  );
}

function TableOf({ stream, kept, seen }: StepProps & { stream: Stream }) {
  const [opened, open] = useState(false);
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
      <UnstyledButton onClick={() => open(!opened)} aria-expanded={opened} w="100%" py="xs">
        <Group gap="sm" wrap="nowrap">
          <Sign size={16} aria-hidden />
          <Name fw={500}>{stream.id}</Name>
          <Text size="sm" c="dimmed" truncate="end">
            {layout.filter(Boolean).join(' · ')}
          </Text>
        </Group>
      </UnstyledButton>
      <Collapse expanded={opened}>
        <div className={`halves ${classes.inner}`}>
          <Select
            label={t.wizard.load.title}
            data={(['transactional', 'catalog'] as const).map(value => ({ value, label: t.wizard.load.names[value] }))}
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
            data={(['fail', 'set-null', 'quarantine'] as const).map(value => ({
              value,
              label: t.wizard.map.misfits[value] ?? value,
            }))}
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
