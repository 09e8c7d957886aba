import { Alert, Badge, Button, Group, Stack } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlayerStop, IconRefresh } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { answer, api, once } from '~/api/client';
import { key } from '~/api/query';
import type { AttemptView, RunView } from '~/api/schema.gen';
import { pipelineQuery } from '~/features/pipelines/queries';
import { ago, minute } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Confirm } from '~/ui/Confirm';
import { ButtonLink, TextLink } from '~/ui/links';
import { Page } from '~/ui/Page';
import { isFinal, RunState } from '~/ui/RunState';
import { useNow } from '~/ui/Time';
import { Facts } from './Facts';
import { Log } from './Log';
import { useLiveRun } from './live';
import { Observed } from './Observed';
import { Progress } from './Progress';
import { runQuery } from './queries';
import { Records } from './Records';
import { RunProblem } from './RunProblem';

export function RunPage({ id }: { id: string }) {
  const { tenant } = useHere();
  const { data } = useSuspenseQuery(runQuery(tenant, id));
  const { run, attempts } = data;
  const live = useLiveRun(tenant, run);
  const pipeline = useQuery(pipelineQuery(tenant, run.pipeline));
  const over = isFinal(run.state);
  return (
    <Page
      title={t.runs.one(minute(run.queued_at))}
      beside={
        <Group gap="xs" wrap="nowrap">
          <RunState state={run.state} size="lg" />
          {!over && <LiveMark connection={live.connection} />}
        </Group>
      }
      crumbs={[
        <TextLink key="runs" to="/t/$tenant/runs" params={{ tenant }} size="sm">
          {t.runs.title}
        </TextLink>,
        <TextLink
          key="pipeline"
          to="/t/$tenant/pipelines/$pipeline"
          params={{ tenant, pipeline: run.pipeline }}
          size="sm"
        >
          <bdi>{pipeline.data?.name ?? t.runs.of}</bdi>
        </TextLink>,
      ]}
      actions={<Actions run={run} />}
    >
      <Notes run={run} attempt={attempts.at(-1)} lost={!over && live.connection === 'lost'} />
      <div className="halves">
        <Facts run={run} attempt={attempts.at(-1)} />
        {!over && <Progress run={run} live={live} />}
      </div>
      {attempts.length > 0 && <Records attempts={attempts} />}
      <Log run={run} />
    </Page>
  );
}

function LiveMark({ connection }: { connection: string }) {
  if (connection === 'lost') return null;
  const text = connection === 'live' ? t.runs.live : t.runs.connecting;
  return (
    <Badge variant="dot" color={connection === 'live' ? 'green' : 'gray'} tt="none" size="lg">
      {text}
    </Badge>
  );
}

/** What has to be known before anything else is read. */
function Notes({ run, attempt, lost }: { run: RunView; attempt?: AttemptView; lost: boolean }) {
  const { tenant, may } = useHere();
  const now = useNow();
  const waits = run.state === 'queued' && Date.parse(run.not_before) > now;
  const reason = run.reason ? (t.runs.reason[run.reason] ?? run.reason) : undefined;
  return (
    <Stack gap="sm" aria-live="polite">
      {lost && <Alert color="yellow">{t.runs.lost}</Alert>}
      {run.cancel_requested_at && !isFinal(run.state) && (
        <Alert color="orange">{t.runs.cancelAsked(ago(run.cancel_requested_at, now))}</Alert>
      )}
      {waits && <Alert color="blue">{t.runs.waitingUntil(ago(run.not_before, now))}</Alert>}
      {reason && <Alert color="gray">{reason}</Alert>}
      {run.error && (
        <RunProblem error={run.error} final={isFinal(run.state)}>
          {run.error.actor === 'user' && may('pipelines-write') && (
            <ButtonLink
              to="/t/$tenant/pipelines/$pipeline"
              params={{ tenant, pipeline: run.pipeline }}
              search={{ tab: 'definition' }}
              variant="default"
              size="xs"
              w="fit-content"
            >
              {t.runs.change}
            </ButtonLink>
          )}
        </RunProblem>
      )}
      <Observed attempt={attempt} />
    </Stack>
  );
}

function Actions({ run }: { run: RunView }) {
  const { tenant, may } = useHere();
  const navigate = useNavigate();
  const [asking, { open, close }] = useDisclosure();
  const params = { path: { tenant, run: run.id } };
  const stale = [key(tenant, 'runs')];
  const cancel = useAct({
    run: () => answer(api.POST('/v1/tenants/{tenant}/runs/{run}/cancel', { params })),
    stale,
    said: t.runs.cancelled,
    done: close,
  });
  const retry = useAct({
    run: () => answer(api.POST('/v1/tenants/{tenant}/runs/{run}/retry', { params: { ...params, header: once() } })),
    stale,
    said: t.runs.retried,
    done: next => void navigate({ to: '/t/$tenant/runs/$run', params: { tenant, run: next.id } }),
  });
  if (!may('runs-control')) return null;
  return (
    <>
      {['failed', 'stopped', 'cancelled'].includes(run.state) && (
        <Button
          leftSection={<IconRefresh size={16} aria-hidden />}
          loading={retry.isPending}
          onClick={() => retry.mutate()}
        >
          {t.runs.retry}
        </Button>
      )}
      {!isFinal(run.state) && !run.cancel_requested_at && (
        <Button variant="default" leftSection={<IconPlayerStop size={16} aria-hidden />} onClick={open}>
          {t.runs.cancel}
        </Button>
      )}
      <Confirm
        opened={asking}
        close={close}
        title={t.runs.cancelAsk}
        action={t.runs.cancel}
        confirm={() => cancel.mutate()}
        busy={cancel.isPending}
        danger
      >
        {t.runs.cancelHint}
      </Confirm>
    </>
  );
}
