import { Button, Checkbox, Group, Loader, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch, IconTable } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { number } from '~/format';
import { t } from '~/texts';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';
import { columnsOf, type Misfit, type Stream, withColumns, withMember } from '../draft';
import { changeStream, type StepProps } from '../parts';
import { namesQuery, readStreams, sampleDraft } from '../queries';
import classes from '../Wizard.module.css';
import { SampleTable } from './SampleTable';

const TYPES = [
  'STRING',
  'INT64',
  'FLOAT64',
  'NUMERIC',
  'BIGNUMERIC',
  'BOOL',
  'DATE',
  'DATETIME',
  'TIMESTAMP',
  'TIME',
  'BYTES',
  'JSON',
];
const MISFITS: Misfit[] = ['fail', 'set-null', 'quarantine'];
const ROW = 52;
const SAMPLE_ROWS = 50;

/** What becomes of each column, one stream after the other. */
export function MapColumns(props: StepProps) {
  const { draft, tenant, id, seen, saw, kept } = props;
  const { streams } = draft.definition;
  const [at, goTo] = useState(streams[0]?.id ?? '');
  const stream = streams.find(one => one.id === at) ?? streams[0];
  const known = stream ? seen.get(stream.id) : undefined;
  // After a reload the streams were not listed on this page yet.
  const look = useMutation({
    mutationFn: async (wanted: string) => {
      await kept.flush();
      return readStreams(tenant, id, wanted);
    },
    onSuccess: page => saw(page.items),
  });
  const { mutate } = look;
  const missing = stream && !known ? stream.id : undefined;
  useEffect(() => {
    if (missing !== undefined) mutate(missing);
  }, [missing, mutate]);
  if (!stream) return null;
  return (
    <Stack gap="lg">
      <Group align="flex-start" justify="space-between">
        <Select
          label={t.wizard.map.stream(number(streams.length))}
          data={streams.map(one => one.id)}
          value={stream.id}
          onChange={next => next && goTo(next)}
          searchable
          allowDeselect={false}
          limit={200}
          w={380}
          maw="100%"
        />
        <TextInput
          label={t.wizard.map.table}
          description={t.wizard.map.tableHint}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          value={stream.table ?? ''}
          onChange={event => {
            const table = event.currentTarget.value;
            changeStream(kept, stream.id, before => ({ ...before, table: table || undefined }));
          }}
          w={300}
          maw="100%"
        />
      </Group>
      {look.error && <ProblemAlert error={look.error} retry={() => mutate(stream.id)} />}
      {known ? <Columns key={stream.id} {...props} stream={stream} names={known.columns} /> : <Loader size="sm" />}
    </Stack>
  );
}

interface Of extends StepProps {
  stream: Stream;
  names: { name: string; type: string; nullable: boolean }[];
}

function Columns(props: Of) {
  const { tenant, id, stream, names, kept } = props;
  const [typed, type] = useState('');
  const all = names.map(column => column.name);
  const chosen = columnsOf(stream, all);
  const isChosen = new Set(chosen);
  const asked = {
    id: stream.id,
    table: stream.table,
    columns: chosen,
    rename: stream.rename ?? {},
    catalog: stream.load === 'catalog',
  };
  const [settled] = useDebouncedValue(asked, 300);
  const named = useQuery(namesQuery(tenant, [settled])).data?.streams[0];
  const targets = new Map(named?.columns.map(column => [column.source, column]));
  const shown = names.filter(column => column.name.toLowerCase().includes(typed.trim().toLowerCase()));
  const sample = useMutation({
    mutationFn: async () => {
      await kept.flush();
      return sampleDraft(tenant, id, stream, SAMPLE_ROWS);
    },
  });
  const set = (how: (stream: Stream) => Stream) => changeStream(kept, stream.id, how);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
    paddingStart: 36,
  });
  const losses = new Map(sample.data?.columns.map(column => [column.source, column]));
  return (
    <>
      {named?.problem && (
        <Text c="red" size="sm" role="alert">
          {named.problem.detail}
        </Text>
      )}
      <Group justify="space-between" align="flex-end">
        <TextInput
          type="search"
          label={t.wizard.map.search}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={typed}
          onChange={event => type(event.currentTarget.value)}
          w={260}
        />
        <Group gap="sm">
          <Text size="sm" c="dimmed">
            {t.wizard.map.loads(number(chosen.length), number(all.length))}
          </Text>
          <Button variant="default" onClick={() => set(before => withColumns(before, all, all))}>
            {t.wizard.map.all}
          </Button>
        </Group>
      </Group>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <section ref={scroller} className={classes.list} tabIndex={0} aria-label={t.wizard.map.columns.source}>
        <div className={classes.space} style={{ height: virtual.getTotalSize(), minWidth: '47rem' }}>
          <div className={`${classes.row} ${classes.columnRow} ${classes.head}`}>
            <span />
            <span>{t.wizard.map.columns.source}</span>
            <span>{t.wizard.map.columns.type}</span>
            <span>{t.wizard.map.columns.name}</span>
            <span>{t.wizard.map.columns.cast}</span>
            <span>{t.wizard.map.columns.misfit}</span>
          </div>
          {virtual.getVirtualItems().map(row => {
            const column = shown[row.index];
            if (!column) return null;
            const { name } = column;
            const target = targets.get(name);
            const cast = stream.cast?.[name];
            const loss = losses.get(name);
            return (
              <div
                key={name}
                className={`${classes.row} ${classes.columnRow}`}
                style={{ transform: `translateY(${row.start}px)`, height: ROW }}
              >
                <Checkbox
                  checked={isChosen.has(name)}
                  aria-label={t.wizard.map.load(name)}
                  disabled={isChosen.has(name) && chosen.length === 1}
                  onChange={() =>
                    set(before =>
                      withColumns(
                        before,
                        isChosen.has(name) ? chosen.filter(other => other !== name) : [...chosen, name],
                        all,
                      ),
                    )
                  }
                />
                <Name size="sm">{name}</Name>
                <Name size="xs" c="dimmed">
                  {column.type}
                </Name>
                {isChosen.has(name) ? (
                  <TextInput
                    size="xs"
                    aria-label={t.wizard.map.nameOf(name)}
                    placeholder={target?.name ?? name}
                    value={stream.rename?.[name] ?? ''}
                    error={named?.problem?.field === `rename.${name}`}
                    title={target ? t.wizard.map.why[target.why] : undefined}
                    rightSection={
                      target && ['made-safe', 'taken'].includes(target.why) ? (
                        <Text span size="xs" c="orange" aria-label={t.wizard.map.why[target.why]}>
                          ≠
                        </Text>
                      ) : undefined
                    }
                    onChange={event => {
                      const next = event.currentTarget.value;
                      set(before => ({ ...before, rename: withMember(before.rename, name, next || undefined) }));
                    }}
                  />
                ) : (
                  <Text size="xs" c="dimmed">
                    {t.wizard.map.dropped}
                  </Text>
                )}
                {isChosen.has(name) ? (
                  <Select
                    size="xs"
                    aria-label={t.wizard.map.castOf(name)}
                    placeholder={loss && !cast ? loss.type : t.wizard.map.asIs}
                    data={cast && !TYPES.includes(cast.to) ? [cast.to, ...TYPES] : TYPES}
                    value={cast?.to ?? null}
                    clearable
                    onChange={to =>
                      set(before => ({
                        ...before,
                        cast: withMember(before.cast, name, to === null ? undefined : { ...cast, to }),
                      }))
                    }
                  />
                ) : (
                  <span />
                )}
                {cast ? (
                  <Select
                    size="xs"
                    aria-label={t.wizard.map.misfitOf(name)}
                    data={MISFITS.map(value => ({ value, label: t.wizard.map.misfits[value] ?? value }))}
                    value={cast.on_misfit ?? 'fail'}
                    allowDeselect={false}
                    onChange={next =>
                      set(before => ({
                        ...before,
                        cast: withMember(before.cast, name, {
                          ...cast,
                          on_misfit: next === null || next === 'fail' ? undefined : (next as Misfit),
                        }),
                      }))
                    }
                  />
                ) : (
                  <span />
                )}
              </div>
            );
          })}
        </div>
      </section>
      <Panel
        title={t.wizard.map.preview}
        hint={t.wizard.map.previewHint}
        actions={
          <Button
            variant="default"
            leftSection={<IconTable size={16} aria-hidden />}
            loading={sample.isPending}
            onClick={() => sample.mutate()}
          >
            {sample.data ? t.wizard.map.again : t.wizard.map.show}
          </Button>
        }
      >
        <div aria-live="polite">
          {sample.error && <ProblemAlert error={sample.error} />}
          {sample.data && <SampleTable sample={sample.data} />}
        </div>
      </Panel>
    </>
  );
}
