import { Badge, Button, Group, Modal, Stack } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, ifMatch } from '~/api/client';
import { key, pages } from '~/api/query';
import type { PipelineView, RevisionView } from '~/api/schema.gen';
import { Who } from '~/features/shared/Who';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Confirm } from '~/ui/Confirm';
import { Diff } from '~/ui/Diff';
import { type Column, Listing } from '~/ui/Listing';
import { Loaded } from '~/ui/Loaded';
import { Ago } from '~/ui/Time';

const revisionsQuery = (tenant: string, pipeline: string) =>
  pages(key(tenant, 'pipelines', 'revisions', pipeline), after =>
    answer(
      api.GET('/v1/tenants/{tenant}/pipelines/{pipeline}/revisions', {
        params: { path: { tenant, pipeline }, query: { after, limit: 50 } },
      }),
    ),
  );

/** What a revision holds, as text to compare. */
function textOf({ name, connection, enabled, definition }: RevisionView): string {
  return JSON.stringify({ name, connection, enabled, definition }, null, 2);
}

export function Revisions({ pipeline }: { pipeline: PipelineView }) {
  const { tenant, may } = useHere();
  const query = useInfiniteQuery(revisionsQuery(tenant, pipeline.id));
  const [shown, show] = useState<RevisionView>();
  const [asked, ask] = useState<RevisionView>();
  const restore = useAct({
    run: (revision: number) => {
      const params = { path: { tenant, pipeline: pipeline.id, revision }, header: ifMatch(pipeline.revision) };
      return answer(api.POST('/v1/tenants/{tenant}/pipelines/{pipeline}/revisions/{revision}/restore', { params }));
    },
    stale: [key(tenant, 'pipelines')],
    said: t.pipelines.restored,
    done: () => ask(undefined),
  });
  const columns: Column<RevisionView>[] = [
    {
      title: t.pipelines.revisionColumns.revision,
      cell: revision => (
        <Group gap="xs" wrap="nowrap">
          <span className="numbers">{revision.revision}</span>
          {revision.revision === pipeline.revision && (
            <Badge variant="light" tt="none">
              {t.pipelines.current}
            </Badge>
          )}
        </Group>
      ),
    },
    { title: t.pipelines.revisionColumns.at, cell: revision => <Ago at={revision.changed_at} /> },
    { title: t.pipelines.revisionColumns.by, cell: revision => <Who id={revision.changed_by} /> },
    {
      title: t.common.actions,
      end: true,
      cell: revision => (
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => show(revision)}
            aria-label={`${t.pipelines.compare}: ${revision.revision}`}
          >
            {t.pipelines.compare}
          </Button>
          {may('pipelines-write') && revision.revision !== pipeline.revision && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => ask(revision)}
              aria-label={`${t.pipelines.restore}: ${revision.revision}`}
            >
              {t.pipelines.restore}
            </Button>
          )}
        </Group>
      ),
    },
  ];
  return (
    <>
      <Listing
        label={t.pipelines.tabs.revisions ?? ''}
        columns={columns}
        query={query}
        id={revision => String(revision.revision)}
        empty={null}
      />
      <Modal
        opened={shown !== undefined}
        onClose={() => show(undefined)}
        size="xl"
        title={
          shown && shown.revision > 1
            ? t.pipelines.compared(shown.revision, shown.revision - 1)
            : t.pipelines.firstRevision
        }
      >
        {shown && <Compared pipeline={pipeline.id} revision={shown} />}
      </Modal>
      <Confirm
        opened={asked !== undefined}
        close={() => ask(undefined)}
        title={t.pipelines.restoreAsk(asked?.revision ?? 0)}
        action={t.pipelines.restore}
        confirm={() => asked && restore.mutate(asked.revision)}
        busy={restore.isPending}
      >
        <Stack>{t.pipelines.restoreHint}</Stack>
      </Confirm>
    </>
  );
}

function Compared({ pipeline, revision }: { pipeline: string; revision: RevisionView }) {
  const { tenant } = useHere();
  const number = revision.revision - 1;
  const before = useQuery({
    queryKey: key(tenant, 'pipelines', 'revision', pipeline, number),
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async (): Promise<RevisionView | null> =>
      number < 1
        ? null
        : answer(
            api.GET('/v1/tenants/{tenant}/pipelines/{pipeline}/revisions/{revision}', {
              params: { path: { tenant, pipeline, revision: number } },
            }),
          ),
  });
  return (
    <Loaded query={before}>
      {old => <Diff label={t.pipelines.compare} before={old ? textOf(old) : ''} after={textOf(revision)} />}
    </Loaded>
  );
}
