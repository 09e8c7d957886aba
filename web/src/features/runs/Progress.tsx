import { Group, Progress as ProgressBar, Stack, Text } from '@mantine/core';
import type { RunView, StreamProgressView } from '~/api/schema.gen';
import { bytes, clock, number, short } from '~/format';
import { t } from '~/texts';
import { Line } from '~/ui/charts/Line';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import type { Live } from './live';

/** More streams than these are summed up; the record has all of them. */
const MOST = 40;

export function Progress({ run, live }: { run: RunView; live: Live }) {
  const streams = live.progress?.streams ?? [];
  const open = streams.filter(stream => !stream.ended);
  const shown = [...open, ...streams.filter(stream => stream.ended).reverse()].slice(0, MOST);
  return (
    <Stack>
      <Panel title={t.runs.progress} hint={live.progress && t.runs.memory(bytes(live.progress.memory_bytes))}>
        {shown.length === 0 ? (
          <Text size="sm" c="dimmed">
            {run.state === 'queued' ? t.runs.waiting : t.runs.progressNone}
          </Text>
        ) : (
          <Stack gap="sm">
            {shown.map(stream => (
              <StreamBar key={stream.stream} stream={stream} />
            ))}
            {streams.length > shown.length && (
              <Text size="sm" c="dimmed">
                {t.runs.moreStreams(number(streams.length - shown.length))}
              </Text>
            )}
          </Stack>
        )}
      </Panel>
      {live.throughput.length > 1 && (
        <Panel title={t.runs.throughput} hint={t.runs.throughputHint}>
          <Line label={t.runs.throughput} points={live.throughput} format={short} time={at => clock(new Date(at))} />
        </Panel>
      )}
    </Stack>
  );
}

/** How much of a stream is read, from 0 to 100; nothing where nobody knows how much there is. */
export function shareOf(stream: StreamProgressView): number | undefined {
  if (stream.ended) return 100;
  const { rows_estimated: expected, rows_read: read } = stream;
  if (expected && expected > 0) return Math.min(99, (read / expected) * 100);
  return stream.splits > 1 ? (stream.splits_done / stream.splits) * 100 : undefined;
}

function StreamBar({ stream }: { stream: StreamProgressView }) {
  const share = shareOf(stream);
  const rows = stream.rows_estimated
    ? t.runs.rowsOf(number(stream.rows_read), number(stream.rows_estimated))
    : t.runs.rows(number(stream.rows_read));
  const parts = stream.splits > 1 ? ` · ${t.runs.splits(number(stream.splits_done), number(stream.splits))}` : '';
  return (
    <div>
      <Group justify="space-between" wrap="nowrap" gap="md">
        <Name size="sm" fw={500}>
          {stream.stream}
        </Name>
        <Text size="sm" c="dimmed" className="numbers" flex="none">
          {rows}
          {parts}
        </Text>
      </Group>
      <ProgressBar
        value={share ?? 100}
        animated={!stream.ended}
        striped={share === undefined}
        color={stream.ended ? 'green' : undefined}
        aria-label={stream.stream}
        mt={4}
      />
    </div>
  );
}
