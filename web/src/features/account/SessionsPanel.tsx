import { Badge, Button, Group } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import type { Session } from '~/api/schema.gen';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { type Column, Rows } from '~/ui/Listing';
import { Loaded } from '~/ui/Loaded';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import { Ago } from '~/ui/Time';

const SESSIONS = ['sessions'];

export function SessionsPanel() {
  const query = useQuery({ queryKey: SESSIONS, queryFn: () => answer(api.GET('/v1/sessions')) });
  const end = useAct({
    run: (session: string) => answer(api.DELETE('/v1/sessions/{session}', { params: { path: { session } } })),
    stale: [SESSIONS],
    said: t.account.ended,
  });
  const endOthers = useAct({
    run: () => answer(api.DELETE('/v1/sessions')),
    stale: [SESSIONS],
    said: t.account.endedOthers,
  });
  const words = t.account.columns;
  const columns: Column<Session>[] = [
    {
      title: words.browser,
      cell: session => (
        <Group gap="xs" wrap="nowrap">
          <Name size="sm">{session.user_agent}</Name>
          {session.current && (
            <Badge variant="light" tt="none" flex="none">
              {t.account.here}
            </Badge>
          )}
        </Group>
      ),
    },
    { title: words.address, cell: session => session.address, wide: true },
    { title: words.seen, cell: session => <Ago at={session.last_seen_at} /> },
    { title: words.began, cell: session => <Ago at={session.created_at} />, wide: true },
    {
      title: t.common.actions,
      end: true,
      cell: session =>
        !session.current && (
          <Button
            size="compact-sm"
            variant="default"
            loading={end.isPending && end.variables === session.id}
            onClick={() => end.mutate(session.id)}
            aria-label={`${t.account.end}: ${session.user_agent}`}
          >
            {t.account.end}
          </Button>
        ),
    },
  ];
  return (
    <Panel
      title={t.account.sessions}
      hint={t.account.sessionsHint}
      flush
      actions={
        (query.data?.items.length ?? 0) > 1 && (
          <Button size="xs" variant="default" loading={endOthers.isPending} onClick={() => endOthers.mutate()}>
            {t.account.endOthers}
          </Button>
        )
      }
    >
      <Loaded query={query}>
        {({ items }) => <Rows label={t.account.sessions} columns={columns} items={items} id={session => session.id} />}
      </Loaded>
    </Panel>
  );
}
