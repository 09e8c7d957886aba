import { Button, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { answer, api } from '~/api/client';
import { meQuery, setupQuery } from '~/session/session';
import { t } from '~/texts';
import { useSendForm } from '~/ui/form';
import { NewPassword } from '~/ui/NewPassword';
import { ProblemAlert } from '~/ui/Problem';
import { Frame } from './Frame';

export function SetUp() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { name: '', email: '', password: '', tenant: '' },
    send: async body => {
      const me = await answer(api.POST('/v1/setup', { body }));
      client.setQueryData(meQuery.queryKey, me);
      client.setQueryData(setupQuery.queryKey, { needed: false });
      await navigate({ to: '/' });
    },
  });
  return (
    <Frame title={t.session.setUp} lead={t.session.setUpLead}>
      <form onSubmit={submit}>
        <Stack>
          {problem !== null && <ProblemAlert error={problem} compact />}
          <TextInput
            label={t.session.yourName}
            autoComplete="name"
            required
            autoFocus
            maxLength={200}
            {...form.getInputProps('name')}
          />
          <TextInput
            label={t.session.email}
            type="email"
            autoComplete="username"
            required
            {...form.getInputProps('email')}
          />
          <NewPassword label={t.session.password} {...form.getInputProps('password')} />
          <TextInput
            label={t.session.tenantName}
            description={t.session.tenantHint}
            autoComplete="organization"
            required
            {...form.getInputProps('tenant')}
          />
          <Button type="submit" loading={busy} fullWidth>
            {t.session.begin}
          </Button>
        </Stack>
      </form>
    </Frame>
  );
}
