import { Button, Modal, Tabs } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconPlugConnected, IconRoute, IconTrash } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { answer, api, ifMatch } from '~/api/client';
import { key } from '~/api/query';
import type { ConnectionView } from '~/api/schema.gen';
import { connectorQuery } from '~/features/connectors/queries';
import { PipelineList } from '~/features/pipelines/PipelineList';
import { beginDraft } from '~/features/wizard/queries';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Confirm } from '~/ui/Confirm';
import { Empty } from '~/ui/Empty';
import { Loaded } from '~/ui/Loaded';
import { TextLink } from '~/ui/links';
import { Page } from '~/ui/Page';
import { EditForm } from './EditForm';
import { connectionQuery } from './queries';
import { Streams } from './Streams';
import { TryingPanel } from './TryingPanel';
import { tryConnection, useTrying } from './trying';

export function ConnectionPage({ id }: { id: string }) {
  const { tenant } = useHere();
  const { data: connection } = useSuspenseQuery(connectionQuery(tenant, id));
  const connector = useQuery(connectorQuery(tenant, connection.connector));
  return (
    <Page
      title={connection.name}
      lead={connector.data?.title ?? connection.connector}
      crumbs={
        <TextLink to="/t/$tenant/connections" params={{ tenant }} size="sm">
          {t.connections.title}
        </TextLink>
      }
      actions={<Actions connection={connection} />}
    >
      <Tabs defaultValue="configuration" keepMounted={false}>
        <Tabs.List className="scroll-tabs" mb="md">
          <Tabs.Tab value="configuration">{t.connections.tabs.configuration}</Tabs.Tab>
          <Tabs.Tab value="streams">{t.connections.tabs.streams}</Tabs.Tab>
          <Tabs.Tab value="pipelines">{t.connections.tabs.pipelines}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="configuration">
          <Loaded query={connector} lines={8}>
            {of => <EditForm key={connection.revision} connection={connection} connector={of} />}
          </Loaded>
        </Tabs.Panel>
        <Tabs.Panel value="streams">
          <Streams connection={id} />
        </Tabs.Panel>
        <Tabs.Panel value="pipelines">
          <PipelineList
            connection={id}
            empty={
              <Empty icon={IconRoute} title={t.connections.pipelinesEmpty}>
                {t.connections.pipelinesEmptyHint}
              </Empty>
            }
          />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Actions({ connection }: { connection: ConnectionView }) {
  const { tenant, may } = useHere();
  const navigate = useNavigate();
  const [checking, { open, close }] = useDisclosure();
  const [asking, { open: ask, close: unask }] = useDisclosure();
  const path = { tenant, connection: connection.id };
  const tries = useTrying(tryConnection(tenant, connection.id));
  const load = useAct({
    run: () => beginDraft(tenant, { step: 'test', connection: connection.id, enabled: true }),
    stale: [key(tenant, 'drafts')],
    done: made => void navigate({ to: '/t/$tenant/new/$draft', params: { tenant, draft: made.id } }),
  });
  const remove = useAct({
    run: () => {
      const params = { path, header: ifMatch(connection.revision) };
      return answer(api.DELETE('/v1/tenants/{tenant}/connections/{connection}', { params }));
    },
    stale: [key(tenant, 'connections', 'list'), key(tenant, 'connections', 'all')],
    said: t.connections.removed,
    done: () => void navigate({ to: '/t/$tenant/connections', params: { tenant } }),
  });
  return (
    <>
      {may('connections-check') && (
        <Button
          leftSection={<IconPlugConnected size={16} aria-hidden />}
          onClick={() => {
            open();
            tries.begin();
          }}
        >
          {t.connections.check}
        </Button>
      )}
      {may('pipelines-write') && (
        <Button
          variant="default"
          leftSection={<IconRoute size={16} aria-hidden />}
          loading={load.isPending}
          onClick={() => load.mutate()}
        >
          {t.connections.load}
        </Button>
      )}
      {may('connections-write') && (
        <Button variant="default" leftSection={<IconTrash size={16} aria-hidden />} onClick={ask}>
          {t.connections.remove}
        </Button>
      )}
      <Modal
        opened={checking}
        onClose={() => {
          tries.cancel();
          close();
        }}
        title={t.connections.check}
        size="lg"
      >
        <TryingPanel tries={tries} />
      </Modal>
      <Confirm
        opened={asking}
        close={unask}
        title={t.connections.removeAsk}
        action={t.connections.remove}
        confirm={() => remove.mutate()}
        busy={remove.isPending}
        danger
      >
        {t.connections.removeHint}
      </Confirm>
    </>
  );
}
