import { Button, Group, Stack, Text } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { useMemo } from 'react';
import { answer, api, ifMatch } from '~/api/client';
import { key } from '~/api/query';
import type { ConnectionView, ConnectorView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import type { Json } from '~/ui/schema-form/model';
import { ConnectionFields } from './ConnectionFields';
import { useConnectionForm } from './useConnectionForm';

/** A connection as a form. Secrets that are left alone stay as they are. */
export function EditForm({ connection, connector }: { connection: ConnectionView; connector: ConnectorView }) {
  const { tenant, may } = useHere();
  const references = connection.references as Record<string, string>;
  const stored = useMemo(() => [...connection.secrets, ...Object.keys(references)], [connection.secrets, references]);
  const form = useConnectionForm({
    connector,
    initial: {
      name: connection.name,
      config: connection.config as Record<string, Json>,
      grants: connection.grants,
    },
    stored,
    send: values => {
      const params = { path: { tenant, connection: connection.id }, header: ifMatch(connection.revision) };
      const body = { ...values, connector: connection.connector };
      return answer(api.PUT('/v1/tenants/{tenant}/connections/{connection}', { params, body }));
    },
    stale: [key(tenant, 'connections')],
    said: t.connections.saved,
  });
  const { changed, busy } = form;
  useBlocker({
    shouldBlockFn: () => !window.confirm(t.common.leave),
    disabled: !changed || busy || form.sent,
  });
  const disabled = !may('connections-write');
  return (
    <form
      noValidate
      onSubmit={event => {
        event.preventDefault();
        form.submit();
      }}
    >
      <Panel>
        <Stack maw={760}>
          <ConnectionFields
            form={form}
            connector={connector}
            stored={stored}
            references={references}
            disabled={disabled}
          />
          {!disabled && (
            <Group justify="flex-end">
              {changed && (
                <Text size="sm" c="dimmed">
                  {t.common.unsaved}
                </Text>
              )}
              <Button variant="default" disabled={!changed} onClick={form.reset}>
                {t.connections.reset}
              </Button>
              <Button type="submit" loading={busy} disabled={!changed}>
                {t.common.save}
              </Button>
            </Group>
          )}
        </Stack>
      </Panel>
    </form>
  );
}
