import { Badge, Stack, Tabs, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import type { AttemptView, LoadView } from '~/api/schema.gen';
import { bytes, number } from '~/format';
import { t } from '~/texts';
import type { Column } from '~/ui/Listing';
import { Name } from '~/ui/Name';
import { PagedRows } from '~/ui/PagedRows';
import { Panel } from '~/ui/Panel';
import { RunState } from '~/ui/RunState';
import { RunProblem } from './RunProblem';

const COLUMNS: Column<LoadView>[] = [
  {
    title: t.runs.stream,
    width: 18,
    cell: load => (
      <>
        <Name size="sm" fw={500}>
          {load.stream}
        </Name>
        <Text size="xs" c="dimmed" component="div" truncate>
          <bdi>{load.table}</bdi>
        </Text>
        {load.error && (
          <Text size="xs" c="red" className="wrap-anywhere" lineClamp={3}>
            {load.error.message}
          </Text>
        )}
      </>
    ),
  },
  { title: t.runs.read, end: true, cell: load => number(load.rows_read) },
  { title: t.runs.quarantined, end: true, wide: true, cell: load => number(load.rows_quarantined) },
  { title: t.runs.sent, end: true, wide: true, cell: load => number(load.rows_sent) },
  { title: t.runs.finalized, end: true, wide: true, cell: load => number(load.rows_finalized) },
  { title: t.runs.committed, end: true, cell: load => number(load.rows_committed) },
  { title: t.runs.nulled, end: true, wide: true, cell: load => number(load.values_nulled) },
  { title: t.runs.bytes, end: true, wide: true, cell: load => bytes(load.bytes_read) },
  { title: t.runs.verdict, width: 18, cell: load => <Verdict load={load} /> },
];

function Verdict({ load }: { load: LoadView }) {
  // Of what is under way, or failed, nothing can be accounted for yet: nothing is visible.
  const committed = load.state === 'committed' || load.state === 'stopped';
  if (load.reconciled && committed) {
    return (
      <Badge color="green" variant="light" tt="none" leftSection={<IconCheck size={13} aria-hidden />}>
        {t.runs.reconciled}
      </Badge>
    );
  }
  return (
    <Badge
      color={committed ? 'red' : 'gray'}
      variant="light"
      tt="none"
      leftSection={committed ? <IconAlertTriangle size={13} aria-hidden /> : undefined}
    >
      {committed ? t.runs.notReconciled : t.runs.open}
    </Badge>
  );
}

const idOf = (load: LoadView) => load.load;
const textOf = (load: LoadView) => `${load.stream} ${load.table}`;

/** What became of every row, for each attempt: the newest is shown first. */
export function Records({ attempts }: { attempts: AttemptView[] }) {
  const newest = [...attempts].reverse();
  const only = newest.length === 1;
  return (
    <Panel title={t.runs.record} hint={t.runs.recordHint} flush>
      {only && newest[0] ? (
        <Attempt attempt={newest[0]} only />
      ) : (
        <Tabs defaultValue={newest[0]?.id} keepMounted={false}>
          <Tabs.List px="md" className="scroll-tabs">
            {newest.map((attempt, index) => (
              <Tabs.Tab key={attempt.id} value={attempt.id}>
                {t.runs.attempt(newest.length - index)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {newest.map(attempt => (
            <Tabs.Panel key={attempt.id} value={attempt.id} pt="sm">
              <Attempt attempt={attempt} beside={<RunState state={attempt.state} size="sm" />} />
            </Tabs.Panel>
          ))}
        </Tabs>
      )}
    </Panel>
  );
}

/** Tables of quarantine are shown where something went into them. */
function told(load: LoadView): boolean {
  return !load.table.endsWith('__quarantine') || load.rows_read > 0 || load.rows_committed > 0 || !load.reconciled;
}

function Attempt({ attempt, beside, only }: { attempt: AttemptView; beside?: React.ReactNode; only?: boolean }) {
  const loads = attempt.streams.filter(told);
  return (
    <Stack gap="sm">
      {attempt.error && !only && (
        <div className="panel-body">
          <RunProblem error={attempt.error} final />
        </div>
      )}
      {loads.length > 0 ? (
        <PagedRows label={t.runs.record} columns={COLUMNS} items={loads} id={idOf} text={textOf} beside={beside} />
      ) : (
        <Text size="sm" c="dimmed" px="md" pb="md">
          {t.runs.progressNone}
        </Text>
      )}
    </Stack>
  );
}
