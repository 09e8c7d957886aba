import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { answer, api, once } from '~/api/client';
import type { TenantRole } from '~/api/schema.gen';
import { meQuery, useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Confirm } from '~/ui/Confirm';
import { useSendForm } from '~/ui/form';
import { type Column, Rows } from '~/ui/Listing';
import { TextLink } from '~/ui/links';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';

const COLUMNS: Column<TenantRole>[] = [
  {
    title: t.common.name,
    cell: tenant => (
      <TextLink to="/t/$tenant" params={{ tenant: tenant.id }} size="sm" display="block">
        <Name size="sm">{tenant.name}</Name>
      </TextLink>
    ),
  },
  { title: t.members.columns.role, cell: tenant => t.roles.names[tenant.role] },
];

/** The tenants that one belongs to: make one, leave one. */
export function TenantsPanel() {
  const here = useHere();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [making, { open, close }] = useDisclosure();
  const [leaving, { open: ask, close: unask }] = useDisclosure();
  const leave = useAct({
    run: () => answer(api.DELETE('/v1/tenants/{tenant}/membership', { params: { path: { tenant: here.tenant } } })),
    said: t.account.left,
    done: async () => {
      await navigate({ to: '/' });
      await client.invalidateQueries({ queryKey: meQuery.queryKey });
    },
  });
  return (
    <Panel
      title={t.account.tenants}
      flush
      actions={
        <>
          <Button size="xs" variant="default" onClick={open}>
            {t.account.makeTenant}
          </Button>
          <Button size="xs" variant="default" onClick={ask}>
            {t.account.leave}
          </Button>
        </>
      }
    >
      <Rows label={t.account.tenants} columns={COLUMNS} items={here.me.tenants} id={tenant => tenant.id} />
      <Modal opened={making} onClose={close} title={t.account.makeTenant}>
        <MakeForm close={close} />
      </Modal>
      <Confirm
        opened={leaving}
        close={unask}
        title={t.account.leaveAsk(here.name)}
        action={t.account.leave}
        confirm={() => leave.mutate()}
        busy={leave.isPending}
        danger
      >
        {t.account.leaveHint}
      </Confirm>
    </Panel>
  );
}

function MakeForm({ close }: { close: () => void }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { form, submit, problem, busy } = useSendForm({
    initialValues: { name: '' },
    send: async body => {
      const made = await answer(api.POST('/v1/tenants', { body, params: { header: once() } }));
      await client.refetchQueries({ queryKey: meQuery.queryKey });
      notifications.show({ message: t.account.made, color: 'green' });
      close();
      await navigate({ to: '/t/$tenant', params: { tenant: made.id } });
    },
  });
  return (
    <form onSubmit={submit}>
      <Stack>
        {problem !== null && <ProblemAlert error={problem} compact />}
        <TextInput
          label={t.common.name}
          description={t.session.tenantHint}
          required
          maxLength={100}
          data-autofocus
          {...form.getInputProps('name')}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={busy}>
            {t.account.makeTenant}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
