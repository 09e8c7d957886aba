import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { answer, api } from '~/api/client';
import { meQuery } from '~/session/session';
import { t } from '~/texts';
import { useSendForm } from '~/ui/form';
import { ProblemAlert } from '~/ui/Problem';
import { Frame } from './Frame';
import { Providers } from './Providers';

export function SignIn({ next, ended }: { next: string; ended?: boolean }) {
  const client = useQueryClient();
  const router = useRouter();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { email: '', password: '' },
    send: async body => {
      const me = await answer(api.POST('/v1/session', { body }));
      client.clear();
      client.setQueryData(meQuery.queryKey, me);
      router.history.push(next);
    },
  });
  return (
    <Frame title={t.session.signIn} lead={ended ? undefined : t.session.signInLead}>
      {ended && (
        <Alert color="blue" role="status">
          {t.session.ended}
        </Alert>
      )}
      <form onSubmit={submit}>
        <Stack>
          {problem !== null && <ProblemAlert error={problem} compact />}
          <TextInput
            label={t.session.email}
            type="email"
            autoComplete="username"
            required
            autoFocus
            {...form.getInputProps('email')}
          />
          <PasswordInput
            label={t.session.password}
            autoComplete="current-password"
            required
            visibilityToggleButtonProps={{ 'aria-label': t.session.showPassword }}
            {...form.getInputProps('password')}
          />
          <Button type="submit" loading={busy} fullWidth>
            {t.session.signIn}
          </Button>
        </Stack>
      </form>
      <Providers />
    </Frame>
  );
}
