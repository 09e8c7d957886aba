import { Autocomplete, Stack, Switch, Text, TextInput, Title } from '@mantine/core';
import { IconDatabase, IconFolder } from '@tabler/icons-react';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import { type Definition, withLoad } from '../draft';
import { Picture } from '../Picture';
import { changeStreams, type StepProps } from '../parts';
import { Tables } from '../Tables';
import { Tile, Tiles } from '../Tiles';
import classes from '../Wizard.module.css';

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
      <Tables {...props} />
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
