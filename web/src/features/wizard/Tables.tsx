import { Checkbox, Group, Select, Stack, Text } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import { number } from '~/format';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import { SearchField } from '~/ui/SearchField';
import { type Misfit, type Stream, withLoad } from './draft';
import { changeStreams, type StepProps } from './parts';
import { LOADS, MISFITS, TableOf } from './TableOf';
import classes from './Wizard.module.css';

const LINE = 44;

/** The tables of a pipeline: each by itself, or many at once; searched by name, drawn as far as they are seen. */
export function Tables(props: StepProps) {
  const { streams } = props.draft.definition;
  const [typed, type] = useState('');
  const [chosen, choose] = useState<ReadonlySet<string>>(new Set());
  const wanted = typed.trim().toLowerCase();
  const shown = useMemo(
    () =>
      streams.filter(
        stream => stream.id.toLowerCase().includes(wanted) || (stream.table ?? '').toLowerCase().includes(wanted),
      ),
    [streams, wanted],
  );
  const many = streams.length > 1;
  const turn = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    choose(next);
  };
  return (
    <Panel title={t.wizard.load.tables} hint={t.wizard.load.tablesHint}>
      <Stack gap="sm">
        {many && (
          <>
            <SearchField label={t.wizard.load.search} value={typed} change={type} />
            <AtOnce {...props} shown={shown} chosen={chosen} choose={choose} />
          </>
        )}
        {shown.length === 0 && <Text c="dimmed">{t.wizard.load.noneMatch}</Text>}
        <Lines
          {...props}
          shown={shown}
          choosing={many ? stream => <Chosen id={stream.id} is={chosen.has(stream.id)} turn={turn} /> : undefined}
        />
      </Stack>
    </Panel>
  );
}

function Chosen({ id, is, turn }: { id: string; is: boolean; turn: (id: string) => void }) {
  return <Checkbox aria-label={t.wizard.load.choose(id)} checked={is} onChange={() => turn(id)} />;
}

interface AtOnceProps extends StepProps {
  shown: Stream[];
  chosen: ReadonlySet<string>;
  choose: (chosen: ReadonlySet<string>) => void;
}

/** What is set for all that are chosen. */
function AtOnce({ kept, shown, chosen, choose }: AtOnceProps) {
  const inSight = shown.filter(stream => chosen.has(stream.id)).length;
  const all = shown.length > 0 && inSight === shown.length;
  const set = (how: (stream: Stream) => Stream) =>
    changeStreams(kept, streams => streams.map(stream => (chosen.has(stream.id) ? how(stream) : stream)));
  const turn = () => {
    const ids = shown.map(stream => stream.id);
    choose(new Set(all ? [...chosen].filter(id => !ids.includes(id)) : [...chosen, ...ids]));
  };
  return (
    <Group justify="space-between">
      <Checkbox
        label={t.wizard.load.chooseAll(number(shown.length))}
        checked={all}
        indeterminate={inSight > 0 && !all}
        onChange={turn}
      />
      {chosen.size > 0 && (
        <Group gap="sm">
          <Text size="sm" role="status">
            {t.wizard.load.forChosen(number(chosen.size))}
          </Text>
          <Select
            aria-label={t.wizard.load.strategyOfChosen}
            placeholder={t.wizard.load.title}
            data={LOADS.map(value => ({ value, label: t.wizard.load.names[value] }))}
            value={null}
            onChange={load => load && set(stream => withLoad(stream, load as (typeof LOADS)[number]))}
            w={190}
          />
          <Select
            aria-label={t.wizard.load.misfitOfChosen}
            placeholder={t.wizard.load.misfit}
            data={MISFITS.map(value => ({ value, label: t.wizard.map.misfits[value] ?? value }))}
            value={null}
            onChange={misfit =>
              misfit && set(stream => ({ ...stream, on_misfit: misfit === 'fail' ? undefined : (misfit as Misfit) }))
            }
            w={240}
          />
        </Group>
      )}
    </Group>
  );
}

interface LinesProps extends StepProps {
  shown: Stream[];
  choosing?: (stream: Stream) => React.ReactNode;
}

function Lines({ shown, choosing, ...props }: LinesProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    getItemKey: index => shown[index]?.id ?? index,
    estimateSize: () => LINE,
    overscan: 8,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section ref={scroller} className={classes.lines} tabIndex={0} aria-label={t.wizard.load.tables}>
      <div className={classes.whole} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(row => {
          const stream = shown[row.index];
          return (
            <div
              key={row.key}
              ref={virtual.measureElement}
              data-index={row.index}
              className={classes.line}
              style={{ transform: `translateY(${row.start}px)` }}
            >
              {stream && <TableOf {...props} stream={stream} choosing={choosing?.(stream)} />}
            </div>
          );
        })}
      </div>
    </section>
  );
}
