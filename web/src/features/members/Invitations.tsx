import { Button, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { itemsOf, key } from '~/api/query';
import type { Invitation } from '~/api/schema.gen';
import { Who } from '~/features/shared/Who';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { type Column, Rows } from '~/ui/Listing';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import { At, useNow } from '~/ui/Time';
import { invitationsQuery } from './queries';

/** Links that were made and can still be accepted, or were. */
export function Invitations() {
  const { tenant } = useHere();
  const now = useNow();
  const query = useInfiniteQuery(invitationsQuery(tenant));
  const withdraw = useAct({
    run: (invitation: string) =>
      answer(api.DELETE('/v1/tenants/{tenant}/invitations/{invitation}', { params: { path: { tenant, invitation } } })),
    stale: [key(tenant, 'invitations')],
    said: t.members.withdrawn,
  });
  const open = (invitation: Invitation) => !invitation.accepted_at && Date.parse(invitation.expires_at) > now;
  const columns: Column<Invitation>[] = [
    {
      title: t.members.invitationColumns.email,
      cell: invitation => <Name size="sm">{invitation.email}</Name>,
      width: 18,
    },
    { title: t.members.invitationColumns.role, cell: invitation => t.roles.names[invitation.role] },
    {
      title: t.members.invitationColumns.by,
      cell: ({ invited_by: by }) => <Who id={by.includes(' ') ? by : `user ${by}`} />,
      wide: true,
    },
    {
      title: t.members.invitationColumns.expires,
      cell: invitation =>
        invitation.accepted_at ? (
          t.members.accepted
        ) : open(invitation) ? (
          <At at={invitation.expires_at} />
        ) : (
          t.members.expired
        ),
    },
    {
      title: t.common.actions,
      end: true,
      cell: invitation =>
        open(invitation) && (
          <Button
            size="compact-sm"
            variant="default"
            loading={withdraw.isPending && withdraw.variables === invitation.id}
            onClick={() => withdraw.mutate(invitation.id)}
            aria-label={`${t.members.withdraw}: ${invitation.email}`}
          >
            {t.members.withdraw}
          </Button>
        ),
    },
  ];
  const items = itemsOf(query.data);
  return (
    <Panel title={t.members.invitations} flush>
      {items.length > 0 ? (
        <Rows label={t.members.invitations} columns={columns} items={items} id={invitation => invitation.id} />
      ) : (
        <Text size="sm" c="dimmed" px="md" pb="md">
          {query.isPending ? t.common.loading : t.members.noInvitations}
        </Text>
      )}
      {query.hasNextPage && (
        <Button variant="subtle" m="sm" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t.common.more}
        </Button>
      )}
    </Panel>
  );
}
