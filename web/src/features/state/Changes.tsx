import { Button, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { itemsOf, key, pages } from '~/api/query';
import type { ChangeView } from '~/api/schema.gen';
import { Who } from '~/features/shared/Who';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { type Column, Rows } from '~/ui/Listing';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import { Ago } from '~/ui/Time';
import { Cursor } from './Cursor';

const changesQuery = (tenant: string, pipeline: string) =>
  pages(key(tenant, 'state', pipeline, 'changes'), after =>
    answer(
      api.GET('/v1/tenants/{tenant}/pipelines/{pipeline}/state-changes', {
        params: { path: { tenant, pipeline }, query: { after, limit: 20 } },
      }),
    ),
  );

/** Who has set which state by hand; the last of a stream can be taken back. */
export function Changes({ pipeline }: { pipeline: string }) {
  const { tenant, may } = useHere();
  const query = useInfiniteQuery(changesQuery(tenant, pipeline));
  const undo = useAct({
    run: (change: string) =>
      answer(
        api.POST('/v1/tenants/{tenant}/pipelines/{pipeline}/state-changes/{change}/undo', {
          params: { path: { tenant, pipeline, change } },
        }),
      ),
    stale: [key(tenant, 'state', pipeline)],
    said: t.state.undone,
  });
  const changes = itemsOf(query.data);
  const last = new Set<string>();
  const newest = new Set(changes.filter(({ stream }) => !last.has(stream) && last.add(stream)).map(({ id }) => id));
  const columns: Column<ChangeView>[] = [
    { title: t.state.at, cell: change => <Ago at={change.at} /> },
    { title: t.state.stream, cell: change => <Name size="sm">{change.stream}</Name> },
    { title: t.state.before, cell: change => <Cursor cursor={change.before} />, wide: true },
    { title: t.state.after, cell: change => <Cursor cursor={change.after} /> },
    { title: t.state.by, cell: change => <Who id={change.by} />, wide: true },
    {
      title: t.common.actions,
      end: true,
      cell: change =>
        may('state-write') && newest.has(change.id) ? (
          <Button
            size="compact-sm"
            variant="default"
            loading={undo.isPending && undo.variables === change.id}
            onClick={() => undo.mutate(change.id)}
            aria-label={`${t.state.undo}: ${change.stream}`}
          >
            {t.state.undo}
          </Button>
        ) : (
          change.undoes && <Text size="xs">{t.state.isUndo}</Text>
        ),
    },
  ];
  return (
    <Panel title={t.state.changes} hint={t.state.changesHint} flush>
      {changes.length > 0 ? (
        <Rows label={t.state.changes} columns={columns} items={changes} id={change => change.id} />
      ) : (
        <Text c="dimmed" size="sm" px="md" pb="md">
          {query.isPending ? t.common.loading : t.state.noChanges}
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
