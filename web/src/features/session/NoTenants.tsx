import { Button, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { answer, api, once } from '~/api/client';
import { meQuery } from '~/session/session';
import { t } from '~/texts';
import { useSendForm } from '~/ui/form';
import { ProblemAlert } from '~/ui/Problem';
import { Frame } from './Frame';

/** For somebody who has an account and belongs nowhere. */
export function NoTenants() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { name: '' },
    send: async body => {
      const tenant = await answer(api.POST('/v1/tenants', { body, params: { header: once() } }));
      await client.refetchQueries({ queryKey: meQuery.queryKey });
      await navigate({ to: '/t/$tenant', params: { tenant: tenant.id } });
    },
  });
  return (
    <Frame title={t.session.noTenants} lead={t.session.noTenantsLead}>
      <form onSubmit={submit}>
        <Stack>
          {problem !== null && <ProblemAlert error={problem} compact />}
          <TextInput
            label={t.common.name}
            description={t.session.tenantHint}
            required
            {...form.getInputProps('name')}
          />
          <Button type="submit" loading={busy} fullWidth>
            {t.session.makeTenant}
          </Button>
        </Stack>
      </form>
    </Frame>
  );
}
