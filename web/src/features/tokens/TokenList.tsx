import { Button, Group, Modal, NumberInput, Stack, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { key } from '~/api/query';
import type { Role, Token } from '~/api/schema.gen';
import { RoleField } from '~/features/members/RoleField';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Confirm } from '~/ui/Confirm';
import { ShownOnce } from '~/ui/Copy';
import { Empty } from '~/ui/Empty';
import { useSendForm } from '~/ui/form';
import { type Column, Listing } from '~/ui/Listing';
import { Name } from '~/ui/Name';
import { ProblemAlert } from '~/ui/Problem';
import { Ago, At, useNow } from '~/ui/Time';
import { makeToken, revokeToken, type TokenKind, tokensQuery } from './queries';

export function TokenList({ kind }: { kind: TokenKind }) {
  const { tenant } = useHere();
  const now = useNow();
  const query = useInfiniteQuery(tokensQuery(tenant, kind));
  const [making, { open, close }] = useDisclosure();
  const [asked, ask] = useState<Token>();
  const revoke = useAct({
    run: (token: string) => revokeToken(tenant, kind, token),
    stale: [key(tenant, 'tokens')],
    said: t.tokens.revokedNow,
    done: () => ask(undefined),
  });
  const make = (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={open} w="fit-content">
      {t.tokens.make}
    </Button>
  );
  const words = t.tokens.columns;
  const columns: Column<Token>[] = [
    {
      title: words.name,
      cell: token => (
        <Name size="sm" fw={500}>
          {token.name}
        </Name>
      ),
      width: 16,
    },
    { title: words.role, cell: token => t.roles.names[token.role] },
    { title: words.made, cell: token => <Ago at={token.created_at} />, wide: true },
    {
      title: words.used,
      cell: token => (token.last_used_at ? <Ago at={token.last_used_at} /> : t.common.never),
      wide: true,
    },
    { title: words.expires, cell: token => <Until token={token} now={now} /> },
    {
      title: t.common.actions,
      end: true,
      cell: token =>
        !token.revoked_at && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => ask(token)}
            aria-label={`${t.tokens.revoke}: ${token.name}`}
          >
            {t.tokens.revoke}
          </Button>
        ),
    },
  ];
  return (
    <Stack>
      {make}
      <Listing
        label={t.tokens.title}
        columns={columns}
        query={query}
        id={token => token.id}
        empty={
          <Empty icon={IconKey} title={t.tokens.empty}>
            {t.tokens.emptyHint}
          </Empty>
        }
      />
      <Modal opened={making} onClose={close} title={t.tokens.make}>
        <MakeForm kind={kind} close={close} />
      </Modal>
      <Confirm
        opened={asked !== undefined}
        close={() => ask(undefined)}
        title={t.tokens.revokeAsk(asked?.name ?? '')}
        action={t.tokens.revoke}
        confirm={() => asked && revoke.mutate(asked.id)}
        busy={revoke.isPending}
        danger
      >
        {t.tokens.revokeHint}
      </Confirm>
    </Stack>
  );
}

function Until({ token, now }: { token: Token; now: number }) {
  if (token.revoked_at) return t.tokens.revoked;
  if (!token.expires_at) return t.tokens.forever;
  return Date.parse(token.expires_at) < now ? t.tokens.expired : <At at={token.expires_at} />;
}

function MakeForm({ kind, close }: { kind: TokenKind; close: () => void }) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const [secret, setSecret] = useState<string>();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { name: '', role: 'viewer' as Role, expires_in_days: 90 },
    send: async body => {
      setSecret((await makeToken(tenant, kind, body)).secret);
      await client.invalidateQueries({ queryKey: key(tenant, 'tokens') });
    },
  });
  if (secret) return <ShownOnce value={secret} hint={t.tokens.secret} done={close} />;
  return (
    <form onSubmit={submit}>
      <Stack>
        {problem !== null && <ProblemAlert error={problem} compact />}
        <TextInput
          label={t.tokens.name}
          description={t.tokens.nameHint}
          required
          maxLength={100}
          data-autofocus
          {...form.getInputProps('name')}
        />
        <RoleField
          label={t.tokens.role}
          value={form.values.role}
          onChange={role => form.setFieldValue('role', role)}
          error={form.errors.role}
        />
        <NumberInput
          label={t.tokens.days}
          description={t.tokens.daysHint}
          min={1}
          max={365}
          required
          allowDecimal={false}
          {...form.getInputProps('expires_in_days')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={busy}>
            {t.tokens.make}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
