import { Group, Stack, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { answer, api, once } from '~/api/client';
import { key } from '~/api/query';
import type { PipelineView } from '~/api/schema.gen';
import { number } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { FormButtons } from '~/ui/FormButtons';
import { useSendForm } from '~/ui/form';
import { ProblemAlert } from '~/ui/Problem';

interface Props {
  pipeline: PipelineView;
  close: () => void;
}

/** The day in the reader's zone, as a field for dates takes it. */
function today(): string {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

export function RunForDay({ pipeline, close }: Props) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { snapshot_date: today() },
    send: async body => {
      const params = { path: { tenant, pipeline: pipeline.id }, header: once() };
      const run = await answer(api.POST('/v1/tenants/{tenant}/pipelines/{pipeline}/runs', { params, body }));
      await client.invalidateQueries({ queryKey: key(tenant, 'runs') });
      await navigate({ to: '/t/$tenant/runs/$run', params: { tenant, run: run.id } });
    },
  });
  return (
    <form onSubmit={submit}>
      <Stack>
        {problem !== null && <ProblemAlert error={problem} compact />}
        <TextInput
          type="date"
          label={t.pipelines.day}
          description={t.pipelines.runDayHint}
          required
          data-autofocus
          {...form.getInputProps('snapshot_date')}
        />
        <FormButtons close={close} busy={busy} action={t.pipelines.run} />
      </Stack>
    </form>
  );
}

export function Backfill({ pipeline, close }: Props) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { from: today(), to: today() },
    send: async body => {
      const params = { path: { tenant, pipeline: pipeline.id }, header: once() };
      const { runs } = await answer(api.POST('/v1/tenants/{tenant}/pipelines/{pipeline}/backfill', { params, body }));
      await client.invalidateQueries({ queryKey: key(tenant, 'runs') });
      notifications.show({ message: t.pipelines.backfilled(number(runs.length)), color: 'green' });
      close();
    },
  });
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">{t.pipelines.backfillHint}</Text>
        {problem !== null && <ProblemAlert error={problem} compact />}
        <Group grow align="flex-start">
          <TextInput type="date" label={t.pipelines.from} required data-autofocus {...form.getInputProps('from')} />
          <TextInput type="date" label={t.pipelines.to} required {...form.getInputProps('to')} />
        </Group>
        <FormButtons close={close} busy={busy} action={t.pipelines.backfillTitle} />
      </Stack>
    </form>
  );
}
