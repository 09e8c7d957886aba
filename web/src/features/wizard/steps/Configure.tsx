import { Stack, TextInput } from '@mantine/core';
import { canGrant, Grants, NOTHING } from '~/features/connections/Grants';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import type { Json } from '~/ui/schema-form/model';
import { SchemaForm } from '~/ui/schema-form/SchemaForm';
import { at, isReference } from '~/ui/schema-form/secrets';
import type { Source } from '../draft';
import type { StepProps } from '../parts';

/** While somebody types, only what was typed can be wrong; what is missing is told when they want to go on. */
const typedWrong = (wrong: Record<string, string>, config: unknown) =>
  Object.fromEntries(Object.entries(wrong).filter(([place]) => at(config, place) !== undefined));

/** The connector's own form, and what the connection asks of whoever operates the service. */
export function Configure({ draft, kept, schema, wrong, can, connector, offers, all }: StepProps & { all: boolean }) {
  const { source } = draft;
  if (!source || !schema || !connector) return null;
  const change = (part: Partial<Source>) =>
    kept.change(before => (before.source ? { ...before, source: { ...before.source, ...part } } : before));
  const grants = { ...NOTHING, ...source.grants };
  const isGiven = (place: string) => {
    const value = at(source.config, place);
    return typeof value === 'string' || isReference(value);
  };
  return (
    <Stack gap="lg">
      <Panel>
        <Stack>
          <TextInput
            label={t.wizard.configure.name}
            description={t.wizard.configure.nameHint}
            value={source.name}
            maxLength={100}
            withAsterisk
            error={source.name.trim() === '' ? t.schemaForm.missing : undefined}
            onChange={event => change({ name: event.currentTarget.value })}
          />
        </Stack>
      </Panel>
      <Panel title={can.title}>
        <SchemaForm
          key={source.connector}
          schema={schema}
          value={source.config as Record<string, Json>}
          change={config => change({ config })}
          errors={all ? wrong : typedWrong(wrong, source.config)}
          stored={kept.secrets.filter(place => !isGiven(place))}
          references={kept.references}
          offered={offers.secrets}
        />
      </Panel>
      {canGrant(offers, connector, grants) && (
        <Panel title={t.connections.grants} hint={t.connections.grantsHint}>
          <Grants connector={connector} value={grants} change={next => change({ grants: next })} />
        </Panel>
      )}
    </Stack>
  );
}
