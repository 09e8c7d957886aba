import { Badge, Group, Paper, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import {
  type Icon,
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconClockExclamation,
  IconDatabaseImport,
  IconHandStop,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { StandingView, SummaryView } from '~/api/schema.gen';
import { NewPipeline } from '~/features/shared/NewPipeline';
import { ago, bytes, number, short, shortClock, shortDay } from '~/format';
import { useHere } from '~/session/session';
import { plural, t } from '~/texts';
import { Bars } from '~/ui/charts/Bars';
import { Empty } from '~/ui/Empty';
import type { Column } from '~/ui/Listing';
import { Loaded } from '~/ui/Loaded';
import { TextLink } from '~/ui/links';
import { Name } from '~/ui/Name';
import { Page } from '~/ui/Page';
import { PagedRows } from '~/ui/PagedRows';
import { Panel } from '~/ui/Panel';
import { RunState } from '~/ui/RunState';
import { Ago, useNow } from '~/ui/Time';
import { summaryQuery } from './queries';
import { needsCare, sorted } from './standing';

export function HomePage() {
  const { tenant } = useHere();
  const query = useQuery(summaryQuery(tenant));
  return (
    <Page title={t.home.title} lead={t.home.lead}>
      <Loaded query={query} lines={8}>
        {summary => (summary.pipelines.length === 0 ? <Beginning /> : <Standing summary={summary} />)}
      </Loaded>
    </Page>
  );
}

function Beginning() {
  const { may } = useHere();
  return (
    <Panel>
      <Empty icon={IconDatabaseImport} title={t.home.begin} action={<NewPipeline label={t.home.beginAction} />}>
        {may('pipelines-write') ? t.home.beginHint : t.home.beginViewer}
      </Empty>
    </Panel>
  );
}

function Standing({ summary }: { summary: SummaryView }) {
  const cares = summary.pipelines.filter(needsCare).length;
  const today = summary.days.at(-1);
  const at = shortClock(summary.at);
  const words = t.home.cards;
  return (
    <Stack>
      <Verdict cares={cares} loaded={summary.pipelines.some(each => each.last_success_at)} at={at} />
      <div className="cards">
        <Card
          icon={IconCircleCheck}
          color="green"
          title={words.fresh}
          value={number(summary.freshness.fresh ?? 0)}
          hint={words.freshHint}
        />
        <Card
          icon={IconClockExclamation}
          color={summary.freshness.late ? 'orange' : 'gray'}
          title={words.late}
          value={number(summary.freshness.late ?? 0)}
          hint={words.lateHint}
        />
        <Card
          icon={IconCircleX}
          color={summary.failing ? 'red' : 'gray'}
          title={words.failing}
          value={number(summary.failing)}
          hint={words.failingHint}
        />
        <Card
          icon={IconDatabaseImport}
          color="water"
          title={words.rows}
          value={short(today?.rows ?? 0)}
          hint={words.rowsHint(bytes(today?.bytes ?? 0))}
        />
      </div>
      <div className="halves">
        <Panel title={t.home.rowsPerDay} hint={t.home.perDayHint}>
          <Bars
            label={t.home.rowsPerDay}
            series={[{ title: t.home.rows, tone: 'blue' }]}
            bars={summary.days.map(day => ({ label: shortDay(`${day.day}T12:00:00`), values: [day.rows] }))}
            format={short}
          />
        </Panel>
        <Panel title={t.home.runsPerDay} hint={t.home.perDayHint}>
          <Bars
            label={t.home.runsPerDay}
            series={[
              { title: t.home.succeeded, tone: 'green' },
              { title: t.home.failed, tone: 'red' },
            ]}
            bars={summary.days.map(day => ({
              label: shortDay(`${day.day}T12:00:00`),
              values: [day.succeeded, day.failed],
            }))}
            format={short}
          />
        </Panel>
      </div>
      <Pipelines summary={summary} />
    </Stack>
  );
}

function Verdict({ cares, loaded, at }: { cares: number; loaded: boolean; at: string }) {
  const good = cares === 0;
  const title = good
    ? loaded
      ? t.home.good
      : t.home.nothing
    : t.home.notGood(number(cares), plural(cares, { one: t.home.needs, other: t.home.need }));
  return (
    <Paper withBorder radius="md" p="md" role="status">
      <Group wrap="nowrap">
        <ThemeIcon size={44} radius="xl" variant="light" color={good ? 'green' : 'orange'} aria-hidden>
          {good ? <IconCircleCheck /> : <IconAlertTriangle />}
        </ThemeIcon>
        <div>
          <Title order={2} size="h3">
            {title}
          </Title>
          <Text size="sm" c="dimmed">
            {good ? t.home.goodHint(at) : t.home.notGoodHint(at)}
          </Text>
        </div>
      </Group>
    </Paper>
  );
}

function Card({
  icon: Sign,
  color,
  title,
  value,
  hint,
}: {
  icon: Icon;
  color: string;
  title: string;
  value: string;
  hint: string;
}) {
  return (
    <Paper withBorder radius="md" p="md">
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <div>
          <Text size="sm" c="dimmed">
            {title}
          </Text>
          <Text fz={28} fw={650} lh={1.2} className="numbers">
            {value}
          </Text>
          <Text size="xs" c="dimmed">
            {hint}
          </Text>
        </div>
        <ThemeIcon variant="light" color={color} aria-hidden>
          <Sign size={18} />
        </ThemeIcon>
      </Group>
    </Paper>
  );
}

const FRESHNESS: Record<string, { color: string; icon: Icon }> = {
  fresh: { color: 'green', icon: IconCircleCheck },
  late: { color: 'orange', icon: IconClockExclamation },
  never: { color: 'gray', icon: IconDatabaseImport },
  unscheduled: { color: 'gray', icon: IconHandStop },
};

function Freshness({ standing }: { standing: StandingView }) {
  const now = useNow();
  const look = FRESHNESS[standing.freshness] ?? { color: 'gray', icon: IconHandStop };
  return (
    <div>
      <Badge
        color={look.color}
        variant="light"
        tt="none"
        className="state-badge"
        leftSection={<look.icon size={13} aria-hidden />}
      >
        {t.home.freshness[standing.freshness] ?? standing.freshness}
      </Badge>
      {standing.freshness === 'late' && standing.due_at && (
        <Text size="xs" c="dimmed">
          {t.home.due(ago(standing.due_at, now))}
        </Text>
      )}
    </div>
  );
}

const nameOf = (standing: StandingView) => standing.name;
const idOf = (standing: StandingView) => standing.id;

function Pipelines({ summary }: { summary: SummaryView }) {
  const { tenant } = useHere();
  const columns: Column<StandingView>[] = [
    {
      title: t.home.columns.pipeline,
      width: 20,
      cell: standing => (
        <TextLink
          to="/t/$tenant/pipelines/$pipeline"
          params={{ tenant, pipeline: standing.id }}
          display="block"
          size="sm"
        >
          <Name size="sm">{standing.name}</Name>
        </TextLink>
      ),
    },
    { title: t.home.columns.freshness, cell: standing => <Freshness standing={standing} /> },
    {
      title: t.home.columns.last,
      cell: ({ last_run: run }) =>
        run && (
          <TextLink to="/t/$tenant/runs/$run" params={{ tenant, run: run.id }} underline="never">
            <RunState state={run.state} />
          </TextLink>
        ),
    },
    {
      title: t.home.columns.success,
      wide: true,
      cell: standing => (standing.last_success_at ? <Ago at={standing.last_success_at} /> : t.common.never),
    },
    { title: t.home.columns.next, wide: true, cell: standing => standing.next_at && <Ago at={standing.next_at} /> },
    { title: t.home.columns.failures, end: true, wide: true, cell: standing => number(standing.failures_week) },
  ];
  return (
    <Panel title={t.home.pipelines} hint={summary.more ? t.home.more : undefined} flush>
      <PagedRows label={t.home.pipelines} columns={columns} items={sorted(summary.pipelines)} id={idOf} text={nameOf} />
    </Panel>
  );
}
