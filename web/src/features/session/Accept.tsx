import { Alert, Button, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import type { Acceptance, Me } from '~/api/schema.gen';
import { meQuery } from '~/session/session';
import { t } from '~/texts';
import { useSendForm } from '~/ui/form';
import { TextLink } from '~/ui/links';
import { NewPassword } from '~/ui/NewPassword';
import { ProblemAlert } from '~/ui/Problem';
import { Frame } from './Frame';
import { Providers } from './Providers';

/** The secret stands behind the # of the link. */
function secretOf(hash: string): string {
  return decodeURIComponent(hash.replace(/^#/, ''));
}

function useAccept() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return async (body: Acceptance) => {
    const me: Me = await answer(api.POST('/v1/invitations/accept', { body }));
    client.clear();
    client.setQueryData(meQuery.queryKey, me);
    // The tenant that was joined is the one that has come last.
    const joined = me.tenants.at(-1);
    await navigate(joined ? { to: '/t/$tenant', params: { tenant: joined.id } } : { to: '/' });
  };
}

export function Accept() {
  const [secret] = useState(() => secretOf(window.location.hash));
  const { data: me } = useSuspenseQuery(meQuery);
  if (!secret) {
    return (
      <Frame title={t.session.invitation}>
        <Alert color="yellow">{t.session.noSecret}</Alert>
      </Frame>
    );
  }
  return me?.user ? <AsMyself secret={secret} me={me} /> : <AsSomebodyNew secret={secret} />;
}

function AsMyself({ secret, me }: { secret: string; me: Me }) {
  const accept = useAccept();
  const { submit, problem, busy } = useSendForm({ initialValues: {}, send: () => accept({ secret }) });
  return (
    <Frame title={t.session.invitation}>
      <form onSubmit={submit}>
        <Stack>
          {problem !== null && <ProblemAlert error={problem} compact />}
          <Text>{t.session.invitationSignedIn(me.user?.email ?? '')}</Text>
          <Button type="submit" loading={busy} fullWidth>
            {t.session.accept}
          </Button>
        </Stack>
      </form>
    </Frame>
  );
}

function AsSomebodyNew({ secret }: { secret: string }) {
  const accept = useAccept();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { name: '', password: '' },
    send: values => accept({ secret, ...values }),
  });
  const back = `/invitation#${encodeURIComponent(secret)}`;
  return (
    <Frame title={t.session.invitation} lead={t.session.invitationLead}>
      <form onSubmit={submit}>
        <Stack>
          {problem !== null && <ProblemAlert error={problem} compact />}
          <TextInput
            label={t.session.yourName}
            autoComplete="name"
            required
            autoFocus
            {...form.getInputProps('name')}
          />
          <NewPassword label={t.session.password} {...form.getInputProps('password')} />
          <Button type="submit" loading={busy} fullWidth>
            {t.session.accept}
          </Button>
        </Stack>
      </form>
      <Providers invitation={secret} />
      <Text size="sm" c="dimmed">
        <TextLink underline="always" to="/sign-in" search={{ next: back }}>
          {t.session.haveAccount}
        </TextLink>
        {' · '}
        {t.session.haveAccountHint}
      </Text>
    </Frame>
  );
}
