import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';
import type { Role } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { ShownOnce } from '~/ui/Copy';
import { useSendForm } from '~/ui/form';
import { ProblemAlert } from '~/ui/Problem';
import { RoleField } from './RoleField';

export function InviteForm({ close }: { close: () => void }) {
  const { tenant } = useHere();
  const client = useQueryClient();
  const [link, setLink] = useState<string>();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { email: '', role: 'viewer' as Role },
    send: async body => {
      const made = await answer(api.POST('/v1/tenants/{tenant}/invitations', { params: { path: { tenant } }, body }));
      setLink(made.link);
      await client.invalidateQueries({ queryKey: key(tenant, 'invitations') });
    },
  });
  if (link) return <ShownOnce value={link} hint={t.members.link} done={close} />;
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">{t.members.inviteHint}</Text>
        {problem !== null && <ProblemAlert error={problem} compact />}
        <TextInput
          type="email"
          label={t.members.email}
          required
          maxLength={254}
          autoComplete="off"
          data-autofocus
          {...form.getInputProps('email')}
        />
        <RoleField
          label={t.members.role}
          value={form.values.role}
          onChange={role => form.setFieldValue('role', role)}
          error={form.errors.role}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={busy}>
            {t.members.make}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
