import { Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { answer, api, ifMatch } from '~/api/client';
import { key } from '~/api/query';
import type { StateView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useSendForm } from '~/ui/form';
import { ProblemAlert } from '~/ui/Problem';

export function SetForm({ pipeline, state, close }: { pipeline: string; state: StateView; close: () => void }) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { text: state.cursor?.text ?? '' },
    send: async ({ text }) => {
      const params = { path: { tenant, pipeline, stream: state.stream }, header: ifMatch(state.revision) };
      const body = { cursor: { text } };
      await answer(api.PUT('/v1/tenants/{tenant}/pipelines/{pipeline}/state/{stream}', { params, body }));
      await client.invalidateQueries({ queryKey: key(tenant, 'state', pipeline) });
      close();
    },
  });
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">{t.state.editHint}</Text>
        {problem !== null && <ProblemAlert error={problem} compact />}
        <Textarea
          label={t.state.newCursor}
          required
          autosize
          minRows={2}
          maxRows={10}
          spellCheck={false}
          data-autofocus
          classNames={{ input: 'code-input' }}
          {...form.getInputProps('text')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={busy}>
            {t.state.edit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
