import { Button, Group, PasswordInput, Stack } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useSendForm } from '~/ui/form';
import { NewPassword } from '~/ui/NewPassword';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';

export function PasswordPanel() {
  const { me } = useHere();
  const client = useQueryClient();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { current: '', new: '' },
    send: async body => {
      await answer(api.PUT('/v1/password', { body }));
      form.reset();
      await client.invalidateQueries({ queryKey: ['sessions'] });
      notifications.show({ message: t.account.changed, color: 'green' });
    },
  });
  return (
    <Panel title={t.account.password}>
      <form onSubmit={submit}>
        {/* For password managers: whose password this is. */}
        <input type="email" autoComplete="username" value={me.user?.email ?? ''} readOnly hidden />
        <Stack gap="sm" maw={420}>
          {problem !== null && <ProblemAlert error={problem} compact />}
          <PasswordInput
            label={t.account.current}
            autoComplete="current-password"
            required
            visibilityToggleButtonProps={{ 'aria-label': t.session.showPassword }}
            {...form.getInputProps('current')}
          />
          <NewPassword label={t.account.next} {...form.getInputProps('new')} />
          <Group>
            <Button type="submit" loading={busy}>
              {t.account.change}
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}
