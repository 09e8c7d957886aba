import { Badge, Button, Code, Group, Loader, Stack, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconPlayerPlay, IconPlus } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef } from 'react';
import { ApiError, answer, api, once } from '~/api/client';
import { key } from '~/api/query';
import type { PlannedView } from '~/api/schema.gen';
import { bytes, list, number, short } from '~/format';
import { useHere } from '~/session/session';
import { plural, t } from '~/texts';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import { ProblemAlert, wordsOf } from '~/ui/Problem';
import { type Draft, isPlaced, type Step } from '../draft';
import type { StepProps } from '../parts';
import { finishDraft, planDraft } from '../queries';
import { USUAL } from '../retry';
import classes from '../Wizard.module.css';

const SHOWN = 100;

/** Where a problem of the whole is put right. */
function stepOf(field: string): Step {
  if (field.startsWith('/config') || field.startsWith('grants')) return 'configure';
  if (field.startsWith('source.name')) return 'configure';
  if (field.startsWith('source') || field === 'connection') return 'source';
  if (field.startsWith('sink')) return 'load';
  if (field.startsWith('schedule') || field.startsWith('retry')) return 'schedule';
  if (field.startsWith('notify') || field.includes('.checks')) return 'watch';
  if (/\.(?:columns|rename|cast|table)/.test(field)) return 'map';
  if (/\.(?:partition|cluster|load|on_misfit)/.test(field)) return 'load';
  return field.startsWith('streams') ? 'streams' : 'review';
}

/** The pipeline is there, its run is not: that stays on the page until it was read. */
function tellNotStarted(problem: unknown): void {
  const { title, detail, remedy } = wordsOf(problem);
  const message = [`${title}.`, detail === title ? '' : detail, remedy, t.wizard.review.startByHand]
    .filter(Boolean)
    .join(' ');
  notifications.show({ title: t.wizard.review.notStarted, message, color: 'red', autoClose: false });
}

/** What will be made, as additions to what there is; then it is made, and perhaps run. */
export function Review(props: StepProps) {
  const { tenant, id, draft, kept, go } = props;
  const { may } = useHere();
  const navigate = useNavigate();
  const client = useQueryClient();
  const plan = useMutation({
    mutationFn: async () => {
      await kept.flush();
      return planDraft(tenant, id);
    },
  });
  const { mutate } = plan;
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    mutate();
  }, [mutate]);
  const finish = useMutation({
    mutationFn: async (run: boolean) => {
      await kept.flush();
      const made = await finishDraft(tenant, id, kept.revision());
      const path = { tenant, pipeline: made.pipeline };
      const params = { path, header: once() };
      const start = () =>
        answer(api.POST('/v1/tenants/{tenant}/pipelines/{pipeline}/runs', { params, body: {} })).then(
          started => ({ made, started, problem: undefined }),
          (problem: unknown) => ({ made, started: undefined, problem }),
        );
      return run ? start() : { made, started: undefined, problem: undefined };
    },
    onSuccess: async ({ made, started, problem }) => {
      for (const subject of ['drafts', 'pipelines', 'connections', 'runs']) {
        await client.invalidateQueries({ queryKey: key(tenant, subject), refetchType: 'none' });
      }
      // Back leads to where one came from, not into a draft that is no more.
      if (started) {
        await navigate({ to: '/t/$tenant/runs/$run', params: { tenant, run: started.id }, replace: true });
      } else {
        if (problem !== undefined) tellNotStarted(problem);
        await navigate({
          to: '/t/$tenant/pipelines/$pipeline',
          params: { tenant, pipeline: made.pipeline },
          replace: true,
        });
      }
    },
  });
  const problem = finish.error ?? plan.error;
  const field = problem instanceof ApiError ? problem.field : undefined;
  const nameProblem = field === 'name' && finish.error ? finish.error.message : undefined;
  const unnamed = draft.name.trim() === '';
  const ready = !unnamed && isPlaced(draft.definition);
  return (
    <Stack gap="lg">
      <Panel>
        <TextInput
          label={t.wizard.review.name}
          description={t.wizard.review.nameHint}
          value={draft.name}
          maxLength={100}
          withAsterisk
          error={nameProblem}
          onChange={event => {
            const name = event.currentTarget.value;
            kept.change(before => ({ ...before, name }));
          }}
          maw={480}
        />
      </Panel>
      {problem && !nameProblem && (
        <Stack gap="xs">
          <ProblemAlert error={problem} />
          {field && stepOf(field) !== 'review' && (
            <Group>
              <Button variant="default" onClick={() => go(stepOf(field))}>
                {t.wizard.review.correct(t.wizard.steps[stepOf(field)].title)}
              </Button>
            </Group>
          )}
        </Stack>
      )}
      <Panel
        title={t.wizard.review.title}
        hint={t.wizard.review.hint}
        actions={
          <Button variant="default" size="xs" loading={plan.isPending} onClick={() => plan.mutate()}>
            {t.wizard.review.again}
          </Button>
        }
      >
        <Stack gap="md">
          <Definition {...props} />
          {plan.isPending && (
            <Group gap="sm" role="status">
              <Loader size="sm" />
              <Text size="sm">{t.wizard.review.planning}</Text>
            </Group>
          )}
          {plan.data && (
            <>
              {plan.data.streams.slice(0, SHOWN).map(stream => (
                <Planned key={stream.stream} stream={stream} />
              ))}
              {plan.data.streams.length > SHOWN && (
                <Text size="sm" c="dimmed">
                  {t.wizard.load.more(number(plan.data.streams.length - SHOWN))}
                </Text>
              )}
              <Text size="sm">
                {plan.data.rows == null ? t.wizard.where.unknown : t.wizard.review.reads(short(plan.data.rows))}
                {plan.data.bytes != null && ` ${t.wizard.where.size(bytes(plan.data.bytes))}`}
              </Text>
            </>
          )}
        </Stack>
      </Panel>
      <Group justify="flex-end">
        {unnamed && (
          <Text size="sm" c="dimmed">
            {t.wizard.review.needsName}
          </Text>
        )}
        <Button
          variant="default"
          leftSection={<IconPlus size={16} aria-hidden />}
          disabled={!ready}
          loading={finish.isPending && !finish.variables}
          onClick={() => finish.mutate(false)}
        >
          {t.wizard.review.create}
        </Button>
        {may('runs-start') && (
          <Button
            leftSection={<IconPlayerPlay size={16} aria-hidden />}
            disabled={!ready || plan.data?.passed === false}
            loading={finish.isPending && finish.variables}
            onClick={() => finish.mutate(true)}
          >
            {t.wizard.review.createAndRun}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

function Added({ title, kept, children }: { title: string; kept?: boolean; children: ReactNode }) {
  return (
    <div className={kept ? classes.kept : classes.added}>
      <Group gap="xs">
        <Badge color={kept ? 'gray' : 'green'} variant="light" tt="none">
          {kept ? t.wizard.review.kept : t.wizard.review.added}
        </Badge>
        <Text fw={600}>{title}</Text>
      </Group>
      <Text size="sm" component="div" className="wrap-anywhere">
        {children}
      </Text>
    </div>
  );
}

function secretNames(draft: Draft, stored: readonly string[]): string {
  return draft.source ? list(stored.map(place => place.slice(1))) : '';
}

function Definition({ draft, kept, can }: StepProps) {
  const { definition, source } = draft;
  const { sink, schedule, retry, notify = [], streams } = definition;
  const restricted = streams.filter(stream => stream.filter).length;
  const place =
    sink?.type === 'bigquery'
      ? `BigQuery ${sink.project}.${sink.dataset}`
      : t.wizard.review.local(String(sink?.path ?? ''));
  const checks = streams.reduce((count, stream) => count + (stream.checks?.length ?? 0), 0);
  const config = Object.entries(source?.config ?? {}).filter(([name]) => !kept.secrets.includes(`/${name}`));
  return (
    <>
      {source ? (
        <Added title={t.wizard.review.connection(source.name)}>
          {can.title}
          {config.map(([name, value]) => (
            <span key={name}>
              {' · '}
              {name}: <Code>{typeof value === 'object' ? JSON.stringify(value) : String(value)}</Code>
            </span>
          ))}
          {kept.secrets.length > 0 && <div>{t.wizard.review.secrets(secretNames(draft, kept.secrets))}</div>}
        </Added>
      ) : (
        <Added kept title={t.wizard.review.connection(can.title)}>
          {t.wizard.review.connectionKept}
        </Added>
      )}
      <Added title={t.wizard.review.pipeline(draft.name.trim() || t.wizard.unnamed)}>
        {plural(streams.length, {
          one: t.wizard.review.streamsOne(place),
          other: t.wizard.review.streams(number(streams.length), place),
        })}
        {restricted > 0 &&
          ` · ${plural(restricted, {
            one: t.wizard.review.restrictedOne,
            other: t.wizard.review.restricted(number(restricted)),
          })}`}
      </Added>
      <Added kept={!schedule} title={t.wizard.steps.schedule.title}>
        {schedule ? (
          <>
            <Code>{schedule.cron}</Code> {schedule.time_zone ?? 'UTC'}
            {schedule.blackouts !== undefined &&
              ` · ${plural(schedule.blackouts.length, {
                one: t.wizard.review.windowsOne,
                other: t.wizard.review.windows(number(schedule.blackouts.length)),
              })}`}
            {!draft.enabled && ` · ${t.wizard.review.off}`}
          </>
        ) : (
          t.wizard.schedule.noneHint
        )}
      </Added>
      {retry && (
        <Added title={t.wizard.retry.title}>
          {t.pipelines.attempts(number(retry.max_attempts ?? USUAL.max_attempts))}
        </Added>
      )}
      <Added kept={notify.length + checks === 0} title={t.wizard.steps.watch.title}>
        {notify.length === 0 ? t.wizard.watch.nobody : list(notify.flatMap(rule => rule.email ?? [rule.webhook ?? '']))}
        {checks > 0 &&
          ` · ${plural(checks, { one: t.wizard.review.checksOne, other: t.wizard.review.checks(number(checks)) })}`}
      </Added>
    </>
  );
}

function Planned({ stream }: { stream: PlannedView }) {
  const columns = stream.columns.map(column => column.name);
  return (
    <Added
      kept={stream.table_exists === true && stream.changes.length === 0}
      title={stream.table_exists ? t.wizard.review.tableKept(stream.table) : t.wizard.review.table(stream.table)}
    >
      <Name size="sm" c="dimmed">
        {stream.stream}
      </Name>
      {stream.error ? (
        <Text size="sm" c="red">
          {stream.error.message}
        </Text>
      ) : (
        <>
          {stream.changes.map(change => (
            <div key={change}>{change}</div>
          ))}
          <Text size="sm" lineClamp={2}>
            {t.wizard.review.columns(number(columns.length), columns.slice(0, 30).join(', '))}
          </Text>
          {stream.rows != null && t.wizard.review.reads(short(stream.rows))}
        </>
      )}
    </Added>
  );
}
