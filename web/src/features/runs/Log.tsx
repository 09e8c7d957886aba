import { Button, Group, Select, Switch, Text, TextInput } from '@mantine/core';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { itemsOf } from '~/api/query';
import type { LogView, RunView } from '~/api/schema.gen';
import { clock, number } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Waiting } from '~/ui/Loaded';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';
import { isFinal } from '~/ui/RunState';
import classes from './Log.module.css';
import { logQuery } from './queries';

/** Lines that a page holds; the download has all. */
const MOST = 10_000;
const LEVELS = ['error', 'warn', 'info', 'debug'];

/** The lines that hold the words, at least as grave as the level. */
export function matching(lines: LogView[], words: string, level: string | null): LogView[] {
  const wanted = words.trim().toLocaleLowerCase();
  const grave = level === null ? LEVELS.length : LEVELS.indexOf(level);
  return lines.filter(
    line =>
      (wanted === '' || line.message.toLocaleLowerCase().includes(wanted)) &&
      (level === null || LEVELS.indexOf(line.level) <= grave),
  );
}

export function Log({ run }: { run: RunView }) {
  const { tenant } = useHere();
  const over = isFinal(run.state);
  const query = useInfiniteQuery(logQuery(tenant, run.id, !over));
  const [words, search] = useState('');
  const [level, choose] = useState<string | null>(null);
  const [follow, setFollow] = useState(true);
  const lines = useMemo(() => itemsOf(query.data), [query.data]);
  const deferred = useDeferredValue(words);
  const found = useMemo(() => matching(lines, deferred, level), [lines, deferred, level]);
  const { hasNextPage, isFetching, fetchNextPage } = query;
  // The log is read to its end, page after page, so that the search looks at all of it.
  useEffect(() => {
    if (hasNextPage && !isFetching && lines.length < MOST) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage, lines.length]);

  return (
    <Panel
      title={t.runs.log}
      actions={
        <Button
          component="a"
          href={`/v1/tenants/${tenant}/runs/${run.id}/logs?download=true`}
          download
          variant="default"
          size="xs"
          leftSection={<IconDownload size={14} aria-hidden />}
        >
          {t.runs.logDownload}
        </Button>
      }
    >
      {query.isPending ? (
        <Waiting lines={4} />
      ) : query.error && lines.length === 0 ? (
        <ProblemAlert error={query.error} retry={() => void query.refetch()} />
      ) : (
        <>
          <Group mb="sm" align="flex-end">
            <TextInput
              type="search"
              label={t.runs.logSearch}
              leftSection={<IconSearch size={16} aria-hidden />}
              value={words}
              onChange={event => search(event.currentTarget.value)}
            />
            <Select
              label={t.runs.logLevel}
              placeholder={t.runs.logAll}
              data={LEVELS.map(value => ({ value, label: t.runs.levels[value] ?? value }))}
              value={level}
              onChange={choose}
              clearable
              w={170}
            />
            {!over && (
              <Switch
                label={t.runs.logFollow}
                checked={follow}
                onChange={event => setFollow(event.currentTarget.checked)}
                mb={8}
              />
            )}
            <Text size="sm" c="dimmed" role="status" mb={8}>
              {t.runs.matching(number(found.length), number(lines.length))}
            </Text>
          </Group>
          {found.length > 0 ? (
            <Lines lines={found} follow={follow && !over} />
          ) : (
            <Text size="sm" c="dimmed">
              {lines.length === 0 ? t.runs.logEmpty : t.runs.logNone}
            </Text>
          )}
          {hasNextPage && lines.length >= MOST && (
            <Text size="sm" c="dimmed" mt="xs">
              {t.runs.logMore}
            </Text>
          )}
        </>
      )}
    </Panel>
  );
}

function Lines({ lines, follow }: { lines: LogView[]; follow: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => 22,
    overscan: 20,
  });
  useEffect(() => {
    if (follow && lines.length > 0) rows.scrollToIndex(lines.length - 1);
  }, [follow, lines.length, rows]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section ref={box} className={classes.box} tabIndex={0} aria-label={t.runs.log} dir="ltr">
      <div className={classes.lines} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(row => {
          const line = lines[row.index];
          if (!line) return null;
          return (
            <div
              key={row.key}
              ref={rows.measureElement}
              data-index={row.index}
              data-level={line.level}
              className={classes.line}
              style={{ transform: `translateY(${row.start}px)` }}
            >
              <time dateTime={line.at} className={classes.time}>
                {clock(line.at)}
              </time>
              <span className={classes.level}>{t.runs.levels[line.level] ?? line.level}</span>
              <bdi className={classes.message}>{line.message}</bdi>
            </div>
          );
        })}
      </div>
    </section>
  );
}
