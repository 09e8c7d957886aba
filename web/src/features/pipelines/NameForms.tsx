import { Stack, Text, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { answer, api, ifMatch } from '~/api/client';
import { key } from '~/api/query';
import type { PipelineView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { FormButtons } from '~/ui/FormButtons';
import { useSendForm } from '~/ui/form';
import { ProblemAlert } from '~/ui/Problem';

/** Most characters of a name. */
const LONGEST = 100;

interface Props {
  pipeline: PipelineView;
  close: () => void;
}

/** Another name: everything that is known of the pipeline stays with it. */
export function Rename({ pipeline, close }: Props) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { name: pipeline.name },
    send: async ({ name }) => {
      const { connection, enabled, definition } = pipeline;
      const params = { path: { tenant, pipeline: pipeline.id }, header: ifMatch(pipeline.revision) };
      await answer(
        api.PUT('/v1/tenants/{tenant}/pipelines/{pipeline}', {
          params,
          body: { name, connection, enabled, definition },
        }),
      );
      await client.invalidateQueries({ queryKey: key(tenant, 'pipelines') });
      notifications.show({ message: t.pipelines.hasNewName, color: 'green' });
      close();
    },
  });
  return (
    <form onSubmit={submit}>
      <Stack>
        {problem !== null && <ProblemAlert error={problem} compact />}
        <TextInput
          label={t.common.name}
          description={t.pipelines.renameHint}
          required
          maxLength={LONGEST}
          data-autofocus
          {...form.getInputProps('name')}
        />
        <FormButtons close={close} busy={busy} action={t.pipelines.renameAction} />
      </Stack>
    </form>
  );
}

/** Another pipeline of the same content. It does not run by itself before somebody says so: both load into the same tables. */
export function Duplicate({ pipeline, close }: Props) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { name: t.pipelines.copyOf(pipeline.name).slice(0, LONGEST) },
    send: async ({ name }) => {
      const { connection, definition } = pipeline;
      const made = await answer(
        api.POST('/v1/tenants/{tenant}/pipelines', {
          params: { path: { tenant } },
          body: { name, connection, enabled: false, definition },
        }),
      );
      await client.invalidateQueries({ queryKey: key(tenant, 'pipelines') });
      notifications.show({ message: t.pipelines.duplicated, color: 'green' });
      await navigate({
        to: '/t/$tenant/pipelines/$pipeline',
        params: { tenant, pipeline: made.id },
        search: { tab: 'definition' },
      });
    },
  });
  return (
    <form onSubmit={submit}>
      <Stack>
        {problem !== null && <ProblemAlert error={problem} compact />}
        <Text size="sm">{t.pipelines.duplicateHint}</Text>
        <TextInput label={t.common.name} required maxLength={LONGEST} data-autofocus {...form.getInputProps('name')} />
        <FormButtons close={close} busy={busy} action={t.pipelines.duplicateAction} />
      </Stack>
    </form>
  );
}
