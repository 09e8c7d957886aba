import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { ApiError, answer, api, ifMatch } from '~/api/client';
import { key } from '~/api/query';
import type { ConnectionView, ConnectorView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';
import type { Json, Schema } from '~/ui/schema-form/model';
import { SchemaForm } from '~/ui/schema-form/SchemaForm';
import { pointerOf, validate } from '~/ui/schema-form/validate';
import { Grants } from './Grants';

/** A connection as a form. Secrets that are left alone stay as they are. */
export function EditForm({ connection, connector }: { connection: ConnectionView; connector: ConnectorView }) {
  const { tenant, may } = useHere();
  const [name, setName] = useState(connection.name);
  const [config, setConfig] = useState(connection.config as Record<string, Json>);
  const [grants, setGrants] = useState(connection.grants);
  const [tried, setTried] = useState(false);
  const schema = connector.config as Schema;
  const references = connection.references as Record<string, string>;
  const changed =
    name !== connection.name ||
    JSON.stringify([config, grants]) !== JSON.stringify([connection.config, connection.grants]);
  const stored = useMemo(() => [...connection.secrets, ...Object.keys(references)], [connection.secrets, references]);
  const save = useAct({
    run: () => {
      const body = { name, connector: connection.connector, config, grants };
      const params = { path: { tenant, connection: connection.id }, header: ifMatch(connection.revision) };
      return answer(api.PUT('/v1/tenants/{tenant}/connections/{connection}', { params, body }));
    },
    stale: [key(tenant, 'connections')],
    said: t.connections.saved,
    quiet: true,
  });
  useBlocker({
    shouldBlockFn: () => !window.confirm(t.common.leave),
    disabled: !changed || save.isPending || save.isSuccess,
  });

  const problem = save.error instanceof ApiError ? save.error : undefined;
  const wrong = tried ? validate(schema, config, stored) : {};
  const refused = pointerOf(problem?.field);
  if (refused && problem && !(refused in wrong)) wrong[refused] = problem.problem.detail;
  const disabled = !may('connections-write');

  return (
    <form
      noValidate
      onSubmit={event => {
        event.preventDefault();
        setTried(true);
        if (Object.keys(validate(schema, config, stored)).length === 0) save.mutate();
      }}
    >
      <Panel>
        <Stack maw={760}>
          {save.error !== null && <ProblemAlert error={save.error} />}
          <TextInput
            label={t.common.name}
            description={t.connections.nameHint}
            required
            value={name}
            onChange={event => setName(event.currentTarget.value)}
            error={problem?.field === 'name' ? problem.problem.detail : undefined}
            disabled={disabled}
            maxLength={100}
          />
          <SchemaForm
            schema={schema}
            value={config}
            change={setConfig}
            errors={wrong}
            stored={stored}
            references={references}
            disabled={disabled}
          />
          <Grants
            connector={connector}
            value={grants}
            change={setGrants}
            disabled={disabled}
            problem={problem?.field ? { field: problem.field, detail: problem.problem.detail } : undefined}
          />
          {!disabled && (
            <Group justify="flex-end">
              {changed && (
                <Text size="sm" c="dimmed">
                  {t.common.unsaved}
                </Text>
              )}
              <Button
                variant="default"
                disabled={!changed}
                onClick={() => {
                  setName(connection.name);
                  setConfig(connection.config as Record<string, Json>);
                  setGrants(connection.grants);
                  setTried(false);
                  save.reset();
                }}
              >
                {t.connections.reset}
              </Button>
              <Button type="submit" loading={save.isPending} disabled={!changed}>
                {t.common.save}
              </Button>
            </Group>
          )}
        </Stack>
      </Panel>
    </form>
  );
}
