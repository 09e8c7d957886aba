import { Badge, Button, Group, Modal, Select, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconUserPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';
import type { Member, Role } from '~/api/schema.gen';
import { atMost, grantable } from '~/session/access';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Confirm } from '~/ui/Confirm';
import type { Column } from '~/ui/Listing';
import { Loaded } from '~/ui/Loaded';
import { Name } from '~/ui/Name';
import { Page } from '~/ui/Page';
import { PagedRows } from '~/ui/PagedRows';
import { Panel } from '~/ui/Panel';
import { At } from '~/ui/Time';
import { Invitations } from './Invitations';
import { InviteForm } from './InviteForm';
import { membersQuery } from './queries';

const idOf = (member: Member) => member.user;
const textOf = (member: Member) => `${member.name} ${member.email}`;

export function MembersPage() {
  const { tenant, may } = useHere();
  const query = useQuery(membersQuery(tenant));
  const columns = useColumns();
  const [inviting, { open, close }] = useDisclosure();
  return (
    <Page
      title={t.members.title}
      lead={t.members.lead}
      actions={
        may('members-write') && (
          <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={open}>
            {t.members.invite}
          </Button>
        )
      }
    >
      <Loaded query={query}>
        {({ items }) => (
          <Panel flush>
            <PagedRows label={t.members.title} columns={columns} items={items} id={idOf} text={textOf} />
          </Panel>
        )}
      </Loaded>
      {may('members-write') && <Invitations />}
      <Modal opened={inviting} onClose={close} title={t.members.invite}>
        <InviteForm close={close} />
      </Modal>
    </Page>
  );
}

function useColumns(): Column<Member>[] {
  const { me, role, may } = useHere();
  // Nobody touches a member who stands above.
  const touches = (member: Member) => may('members-write') && atMost(member.role, role);
  const own = me.user?.id;
  const columns: Column<Member>[] = [
    {
      title: t.members.columns.name,
      width: 18,
      cell: member => (
        <Group gap="xs" wrap="nowrap">
          <Name size="sm" fw={500}>
            {member.name}
          </Name>
          {member.user === own && <Text size="xs" c="dimmed">{`(${t.members.you})`}</Text>}
          {member.disabled && (
            <Badge color="gray" variant="light" tt="none">
              {t.members.disabled}
            </Badge>
          )}
        </Group>
      ),
    },
    { title: t.members.columns.email, cell: member => <Name size="sm">{member.email}</Name>, wide: true },
    {
      title: t.members.columns.role,
      width: 18,
      cell: member =>
        touches(member) && member.user !== own ? <RoleSelect member={member} /> : t.roles.names[member.role],
    },
    { title: t.members.columns.since, cell: member => <At at={member.since} />, wide: true },
  ];
  if (may('members-write')) {
    columns.push({
      title: t.common.actions,
      end: true,
      cell: member => touches(member) && member.user !== own && <Remove member={member} />,
    });
  }
  return columns;
}

function RoleSelect({ member }: { member: Member }) {
  const { tenant, role } = useHere();
  const change = useAct({
    run: (next: Role) =>
      answer(
        api.PATCH('/v1/tenants/{tenant}/members/{user}', {
          params: { path: { tenant, user: member.user } },
          body: { role: next },
        }),
      ),
    stale: [key(tenant, 'members')],
    said: t.members.changed,
  });
  return (
    <Select
      aria-label={t.members.roleOf(member.name)}
      size="xs"
      w={150}
      data={grantable(role).map(value => ({ value, label: t.roles.names[value] }))}
      value={change.isPending ? change.variables : member.role}
      onChange={next => next && next !== member.role && change.mutate(next as Role)}
      disabled={change.isPending}
      allowDeselect={false}
    />
  );
}

function Remove({ member }: { member: Member }) {
  const { tenant } = useHere();
  const [asking, ask] = useState(false);
  const remove = useAct({
    run: () =>
      answer(api.DELETE('/v1/tenants/{tenant}/members/{user}', { params: { path: { tenant, user: member.user } } })),
    stale: [key(tenant, 'members')],
    said: t.members.removed,
    done: () => ask(false),
  });
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        onClick={() => ask(true)}
        aria-label={`${t.members.remove}: ${member.name}`}
      >
        {t.members.remove}
      </Button>
      <Confirm
        opened={asking}
        close={() => ask(false)}
        title={t.members.removeAsk(member.name)}
        action={t.members.remove}
        confirm={() => remove.mutate()}
        busy={remove.isPending}
        danger
      >
        <Stack ta="start">{t.members.removeHint}</Stack>
      </Confirm>
    </>
  );
}
