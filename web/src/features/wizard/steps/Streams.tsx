import { Badge, Button, Checkbox, Group, Loader, Select, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconRefresh, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import type { StreamView } from '~/api/schema.gen';
import { bytes, number, short } from '~/format';
import { plural, t } from '~/texts';
import { Name } from '~/ui/Name';
import { ProblemAlert } from '~/ui/Problem';
import { cursorOf, type Stream, suggested, sum, withRead } from '../draft';
import { changeStream, changeStreams, type StepProps } from '../parts';
import { everyStream, streamsQuery } from '../queries';
import { Reading } from '../Reading';
import classes from '../Wizard.module.css';

const ROW = 56;

/** Which streams are read: searched by the source itself, drawn as far as they are seen. */
export function Streams(props: StepProps) {
  const { tenant, id, draft, kept, can, source, saw } = props;
  const [typed, type] = useState('');
  const [contains] = useDebouncedValue(typed.trim(), 300);
  const [ready, setReady] = useState(false);
  const client = useQueryClient();
  const { flush } = kept;
  useEffect(() => {
    // What is asked is the draft as the service has it.
    void flush().then(
      () => setReady(true),
      () => setReady(true),
    );
  }, [flush]);
  const options = streamsQuery(tenant, id, source, contains);
  const query = useInfiniteQuery({ ...options, enabled: ready });
  const found = useMemo(() => query.data?.pages.flatMap(page => page.items) ?? [], [query.data]);
  useEffect(() => saw(found), [saw, found]);
  const chosen = useMemo(() => new Map(draft.definition.streams.map(one => [one.id, one])), [draft.definition.streams]);
  const toggle = (stream: StreamView) =>
    changeStreams(kept, streams =>
      chosen.has(stream.id)
        ? streams.filter(one => one.id !== stream.id)
        : [...streams, suggested(stream, can.incremental)],
    );
  const every = useMutation({
    mutationFn: () => everyStream(tenant, id, contains),
    onSuccess: ({ items }) => {
      saw(items);
      changeStreams(kept, streams => {
        const has = new Set(streams.map(one => one.id));
        return [...streams, ...items.filter(one => !has.has(one.id)).map(one => suggested(one, can.incremental))];
      });
    },
  });
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: found.length + (query.hasNextPage ? 1 : 0),
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
    paddingStart: 36,
  });
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && last >= found.length - 20) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, last, found.length]);
  const total = {
    rows: sum(draft.definition.streams.map(one => props.seen.get(one.id)?.rows)),
    bytes: sum(draft.definition.streams.map(one => props.seen.get(one.id)?.bytes)),
  };
  const missing = draft.definition.streams.filter(
    one => !hasNextPage && !contains && query.isSuccess && !props.seen.has(one.id),
  );
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <TextInput
          type="search"
          label={t.wizard.streams.search}
          leftSection={<IconSearch size={16} aria-hidden />}
          rightSection={query.isFetching ? <Loader size="xs" /> : undefined}
          value={typed}
          onChange={event => type(event.currentTarget.value)}
          w={320}
          maw="100%"
        />
        <Group gap="xs">
          <Button
            variant="default"
            loading={every.isPending}
            disabled={found.length === 0}
            onClick={() => every.mutate()}
          >
            {contains ? t.wizard.streams.chooseMatching : t.wizard.streams.chooseAll}
          </Button>
          <Button variant="default" disabled={chosen.size === 0} onClick={() => changeStreams(kept, () => [])}>
            {t.wizard.streams.chooseNone}
          </Button>
          <Button
            variant="default"
            leftSection={<IconRefresh size={16} aria-hidden />}
            onClick={() => void client.resetQueries({ queryKey: options.queryKey })}
          >
            {t.wizard.streams.refresh}
          </Button>
        </Group>
      </Group>
      {query.error && <ProblemAlert error={query.error} retry={() => void query.refetch()} />}
      {every.error && <ProblemAlert error={every.error} />}
      {missing.length > 0 && (
        <Text size="sm" c="red">
          {t.wizard.streams.gone(missing.map(one => one.id).join(', '))}
        </Text>
      )}
      <Group justify="space-between" role="status">
        <Text size="sm">
          {plural(chosen.size, {
            one: t.wizard.streams.chosenOne,
            other: t.wizard.streams.chosen(number(chosen.size)),
          })}
          {chosen.size > 0 && total.rows !== undefined && ` · ${t.wizard.streams.rows(short(total.rows))}`}
          {chosen.size > 0 && total.bytes !== undefined && ` · ${t.wizard.streams.size(bytes(total.bytes))}`}
        </Text>
        <Text size="sm" c="dimmed">
          {query.isSuccess &&
            (hasNextPage ? t.common.loadedSoFar(number(found.length)) : t.wizard.streams.found(number(found.length)))}
        </Text>
      </Group>
      {query.isSuccess && found.length === 0 ? (
        <Text c="dimmed">{contains ? t.wizard.streams.noneMatch : t.wizard.streams.none}</Text>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
        <section ref={scroller} className={classes.list} tabIndex={0} aria-label={t.wizard.steps.streams.title}>
          <div className={classes.space} style={{ height: virtual.getTotalSize() }}>
            <div className={`${classes.row} ${classes.streamRow} ${classes.head}`}>
              <span>{t.wizard.streams.columns.name}</span>
              <span>{t.wizard.streams.columns.kind}</span>
              <span>{t.wizard.streams.columns.rows}</span>
              <span>{t.wizard.streams.columns.size}</span>
              <span>{t.wizard.streams.columns.read}</span>
            </div>
            {rows.map(row => {
              const stream = found[row.index];
              return (
                <div
                  key={row.key}
                  className={`${classes.row} ${classes.streamRow}`}
                  style={{ transform: `translateY(${row.start}px)`, height: ROW }}
                >
                  {stream ? (
                    <StreamRow
                      stream={stream}
                      chosen={chosen.get(stream.id)}
                      toggle={() => toggle(stream)}
                      incremental={can.incremental}
                      change={how => changeStream(kept, stream.id, how)}
                    />
                  ) : (
                    <Loader size="xs" aria-label={t.common.loading} />
                  )}
                </div>
              );
            })}
          </div>
        </section>
      )}
      <Reading {...props} />
    </Stack>
  );
}

function StreamRow({
  stream,
  chosen,
  toggle,
  change,
  incremental,
}: {
  stream: StreamView;
  chosen: Stream | undefined;
  toggle: () => void;
  change: (how: (stream: Stream) => Stream) => void;
  incremental: boolean;
}) {
  const names = stream.columns.map(column => column.name);
  const cursors = [...new Set([...stream.cursor_candidates, ...names])];
  const files = stream.kind === 'files';
  return (
    <>
      <Checkbox
        checked={chosen !== undefined}
        onChange={toggle}
        label={
          <span className="wrap-anywhere">
            <Name lines={1}>{stream.id}</Name>
            {stream.primary_key.length > 0 && (
              <Text size="xs" c="dimmed" component="span" display="block" truncate="end">
                {t.wizard.streams.key(stream.primary_key.join(', '))}
              </Text>
            )}
          </span>
        }
      />
      <Badge variant="light" color="gray" tt="none">
        {t.wizard.streams.kinds[stream.kind] ?? stream.kind}
      </Badge>
      <Text size="sm" className="numbers" title={stream.rows == null ? undefined : number(stream.rows)}>
        {stream.rows == null ? '–' : `≈ ${short(stream.rows)}`}
      </Text>
      <Text size="sm" className="numbers">
        {stream.bytes == null ? '–' : `≈ ${bytes(stream.bytes)}`}
      </Text>
      {chosen ? (
        <Select
          size="xs"
          aria-label={t.wizard.streams.readOf(stream.id)}
          disabled={!incremental || chosen.load === 'catalog'}
          data={[
            { value: 'full', label: t.wizard.streams.full },
            ...(files
              ? [{ value: 'by:', label: t.wizard.streams.newFiles }]
              : cursors.map(name => ({
                  value: `by:${name}`,
                  label: stream.cursor_candidates.includes(name)
                    ? t.wizard.streams.bySuggested(name)
                    : t.wizard.streams.by(name),
                }))),
          ]}
          value={cursorOf(chosen) === undefined ? 'full' : `by:${cursorOf(chosen)}`}
          allowDeselect={false}
          searchable={cursors.length > 12}
          onChange={value => change(before => withRead(before, value?.startsWith('by:') ? value.slice(3) : undefined))}
        />
      ) : (
        <span />
      )}
    </>
  );
}
