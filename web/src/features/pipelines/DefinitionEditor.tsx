import { Alert, Button, Group, Stack, Text, Textarea } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { useState } from 'react';
import { answer, api, ifMatch } from '~/api/client';
import { key } from '~/api/query';
import type { PipelineView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { useAct } from '~/ui/act';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';

/** The whole definition as text, for everything that has no form of its own. */
export function DefinitionEditor({ pipeline }: { pipeline: PipelineView }) {
  const { tenant, may } = useHere();
  const saved = JSON.stringify(pipeline.definition, null, 2);
  const [text, setText] = useState(saved);
  const [broken, setBroken] = useState<string>();
  const body = () => {
    const definition = JSON.parse(text) as Record<string, unknown>;
    return { name: pipeline.name, connection: pipeline.connection, enabled: pipeline.enabled, definition };
  };
  const save = useAct({
    run: () => {
      const params = { path: { tenant, pipeline: pipeline.id }, header: ifMatch(pipeline.revision) };
      return answer(api.PUT('/v1/tenants/{tenant}/pipelines/{pipeline}', { params, body: body() }));
    },
    stale: [key(tenant, 'pipelines')],
    said: t.pipelines.saved,
    quiet: true,
  });
  const check = useAct({
    run: () =>
      answer(api.POST('/v1/tenants/{tenant}/pipelines/validate', { params: { path: { tenant } }, body: body() })),
    quiet: true,
  });
  const changed = text !== saved;
  useBlocker({
    shouldBlockFn: () => !window.confirm(t.common.leave),
    disabled: !changed || save.isPending || save.isSuccess,
  });
  const send = (act: { mutate: () => void }) => {
    save.reset();
    check.reset();
    try {
      JSON.parse(text);
      setBroken(undefined);
      act.mutate();
    } catch (error) {
      setBroken(error instanceof Error ? error.message : t.schemaForm.notJson);
    }
  };
  const error = save.error ?? check.error;
  return (
    <Panel title={t.pipelines.tabs.definition} hint={t.pipelines.definitionHint}>
      <Stack>
        {error && <ProblemAlert error={error} />}
        {check.data && (
          <Alert color="green" role="status">
            {check.data.compared ? t.pipelines.validCompared : t.pipelines.valid}
            {check.data.schedule && <Text size="sm">{check.data.schedule}</Text>}
          </Alert>
        )}
        <Textarea
          label={t.pipelines.definitionLabel}
          value={text}
          onChange={event => setText(event.currentTarget.value)}
          error={broken}
          readOnly={!may('pipelines-write')}
          minRows={12}
          maxRows={36}
          autosize
          spellCheck={false}
          classNames={{ input: 'code-input' }}
          dir="ltr"
        />
        {may('pipelines-write') && (
          <Group justify="flex-end">
            {changed && (
              <Text size="sm" c="dimmed">
                {t.common.unsaved}
              </Text>
            )}
            <Button variant="default" onClick={() => send(check)} loading={check.isPending}>
              {t.pipelines.validate}
            </Button>
            <Button onClick={() => send(save)} loading={save.isPending} disabled={!changed}>
              {t.common.save}
            </Button>
          </Group>
        )}
      </Stack>
    </Panel>
  );
}
