import { Button, Group, Stack, Text } from '@mantine/core';
import { IconPlugConnected, IconPlus } from '@tabler/icons-react';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useBlocker, useNavigate } from '@tanstack/react-router';
import { answer, api, once } from '~/api/client';
import { key } from '~/api/query';
import type { ConnectorView } from '~/api/schema.gen';
import { ConnectorCards } from '~/features/connectors/ConnectorCards';
import { ConnectorIcon } from '~/features/connectors/ConnectorIcon';
import { connectorQuery } from '~/features/connectors/queries';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { TextLink } from '~/ui/links';
import { Page } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { ConnectionFields } from './ConnectionFields';
import { NOTHING } from './Grants';
import { TryingPanel } from './TryingPanel';
import { isOver, tryUnsaved, useTrying } from './trying';
import { useConnectionForm } from './useConnectionForm';

/** A connection without a pipeline: what it is to, how that is reached, whether it works. */
export function NewPage({ connector }: { connector?: string }) {
  const { tenant, may } = useHere();
  const crumbs = (
    <TextLink to="/t/$tenant/connections" params={{ tenant }} size="sm">
      {t.connections.title}
    </TextLink>
  );
  if (!may('connections-write')) {
    return (
      <Page title={t.connections.make} crumbs={crumbs}>
        <Panel>
          <Text>{t.connections.notAllowed}</Text>
        </Panel>
      </Page>
    );
  }
  if (connector) return <Configure name={connector} />;
  return (
    <Page title={t.connections.make} lead={t.connections.makeLead} crumbs={crumbs}>
      <ConnectorCards
        link={({ name }, title) => (
          <TextLink to="/t/$tenant/connections/new" params={{ tenant }} search={{ connector: name }} fw={600}>
            {title}
          </TextLink>
        )}
      />
    </Page>
  );
}

function Configure({ name }: { name: string }) {
  const { tenant } = useHere();
  const { data: connector } = useSuspenseQuery(connectorQuery(tenant, name));
  return (
    <Page
      title={t.connections.makeOf(connector.title)}
      lead={connector.description}
      beside={<ConnectorIcon connector={connector} size={32} />}
      crumbs={[
        <TextLink key="all" to="/t/$tenant/connections" params={{ tenant }} size="sm">
          {t.connections.title}
        </TextLink>,
        <TextLink key="new" to="/t/$tenant/connections/new" params={{ tenant }} size="sm">
          {t.connections.make}
        </TextLink>,
      ]}
    >
      <NewForm key={name} connector={connector} />
    </Page>
  );
}

function NewForm({ connector }: { connector: ConnectorView }) {
  const { tenant } = useHere();
  const navigate = useNavigate();
  const form = useConnectionForm({
    connector,
    initial: { name: connector.title, config: {}, grants: NOTHING },
    send: values => {
      const params = { path: { tenant }, header: once() as never };
      const body = { ...values, connector: connector.name };
      return answer(api.POST('/v1/tenants/{tenant}/connections', { params, body }));
    },
    stale: [key(tenant, 'connections')],
    said: t.connections.made,
    done: made =>
      void navigate({
        to: '/t/$tenant/connections/$connection',
        params: { tenant, connection: made.id },
        ignoreBlocker: true,
        replace: true,
      }),
  });
  const tries = useTrying(tryUnsaved(tenant, { ...form.values, connector: connector.name }));
  useBlocker({
    shouldBlockFn: () => !window.confirm(t.common.leave),
    disabled: !form.changed || form.busy || form.sent,
  });
  return (
    <form
      noValidate
      onSubmit={event => {
        event.preventDefault();
        form.submit();
      }}
    >
      <Stack>
        <Panel>
          <Stack maw={760}>
            <ConnectionFields form={form} connector={connector} />
            <Group justify="flex-end">
              <Button
                variant="default"
                leftSection={<IconPlugConnected size={16} aria-hidden />}
                loading={tries.trying && !isOver(tries.trying)}
                onClick={() => {
                  if (form.check()) tries.begin();
                }}
              >
                {t.connections.check}
              </Button>
              <Button
                type="submit"
                leftSection={<IconPlus size={16} aria-hidden />}
                loading={form.busy}
                disabled={form.values.name.trim() === ''}
              >
                {t.connections.create}
              </Button>
            </Group>
          </Stack>
        </Panel>
        {tries.trying && (
          <Panel title={t.connections.check}>
            <TryingPanel tries={tries} />
          </Panel>
        )}
      </Stack>
    </form>
  );
}
