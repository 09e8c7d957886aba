import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { IconBookmark } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, ifMatch } from '~/api/client';
import { key } from '~/api/query';
import type { StateView } from '~/api/schema.gen';
import { Who } from '~/features/shared/Who';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Confirm } from '~/ui/Confirm';
import { Empty } from '~/ui/Empty';
import type { Column } from '~/ui/Listing';
import { Loaded } from '~/ui/Loaded';
import { Name } from '~/ui/Name';
import { PagedRows } from '~/ui/PagedRows';
import { Panel } from '~/ui/Panel';
import { Ago } from '~/ui/Time';
import { Changes } from './Changes';
import { Cursor } from './Cursor';
import { SetForm } from './SetForm';

const idOf = (state: StateView) => state.stream;

/** Where each stream of a pipeline is, to look at and to change. */
export function States({ pipeline }: { pipeline: string }) {
  const { tenant, may } = useHere();
  const path = { tenant, pipeline };
  const subject = key(tenant, 'state', pipeline);
  const query = useQuery({
    queryKey: subject,
    queryFn: () => answer(api.GET('/v1/tenants/{tenant}/pipelines/{pipeline}/state', { params: { path } })),
  });
  const [edited, edit] = useState<StateView>();
  const [asked, ask] = useState<StateView | 'all'>();
  const reset = useAct({
    run: (what: StateView | 'all') =>
      what === 'all'
        ? answer(api.DELETE('/v1/tenants/{tenant}/pipelines/{pipeline}/state', { params: { path } }))
        : answer(
            api.DELETE('/v1/tenants/{tenant}/pipelines/{pipeline}/state/{stream}', {
              params: { path: { ...path, stream: what.stream }, header: ifMatch(what.revision) },
            }),
          ),
    stale: [subject],
    said: t.state.resetDone,
    done: () => ask(undefined),
  });
  const columns: Column<StateView>[] = [
    {
      title: t.state.stream,
      width: 18,
      cell: state => (
        <>
          <Name size="sm" fw={500}>
            {state.stream}
          </Name>
          {(!state.in_pipeline || state.interrupted) && (
            <Text size="xs" c="dimmed">
              {state.interrupted ? t.state.interrupted : t.state.notInPipeline}
            </Text>
          )}
        </>
      ),
    },
    { title: t.state.cursor, cell: state => <Cursor cursor={state.cursor} /> },
    { title: t.state.since, wide: true, cell: state => state.since && <Ago at={state.since} /> },
    {
      title: t.state.by,
      wide: true,
      cell: state => (state.set_by ? <Who id={state.set_by} /> : state.cursor && t.state.run),
    },
  ];
  if (may('state-write')) {
    columns.push({
      title: t.common.actions,
      end: true,
      cell: state => (
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => edit(state)}
            aria-label={`${t.state.edit}: ${state.stream}`}
          >
            {t.state.edit}
          </Button>
          {state.cursor && (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => ask(state)}
              aria-label={`${t.state.reset}: ${state.stream}`}
            >
              {t.state.reset}
            </Button>
          )}
        </Group>
      ),
    });
  }
  return (
    <Stack>
      <Loaded query={query}>
        {({ streams }) =>
          streams.length === 0 ? (
            <Panel>
              <Empty icon={IconBookmark} title={t.state.empty}>
                {t.state.emptyHint}
              </Empty>
            </Panel>
          ) : (
            <Panel
              title={t.pipelines.tabs.state}
              hint={t.state.hint}
              flush
              actions={
                may('state-write') && (
                  <Button variant="default" size="xs" onClick={() => ask('all')}>
                    {t.state.resetAll}
                  </Button>
                )
              }
            >
              <PagedRows label={t.pipelines.tabs.state ?? ''} columns={columns} items={streams} id={idOf} text={idOf} />
            </Panel>
          )
        }
      </Loaded>
      <Changes pipeline={pipeline} />
      <Modal
        opened={edited !== undefined}
        onClose={() => edit(undefined)}
        title={<Name>{t.state.editTitle(edited?.stream ?? '')}</Name>}
      >
        {edited && <SetForm pipeline={pipeline} state={edited} close={() => edit(undefined)} />}
      </Modal>
      <Confirm
        opened={asked !== undefined}
        close={() => ask(undefined)}
        title={asked === 'all' ? t.state.resetAllAsk : t.state.resetAsk(asked?.stream ?? '')}
        action={asked === 'all' ? t.state.resetAll : t.state.reset}
        confirm={() => asked && reset.mutate(asked)}
        busy={reset.isPending}
        danger
      >
        {t.state.resetHint}
      </Confirm>
    </Stack>
  );
}
