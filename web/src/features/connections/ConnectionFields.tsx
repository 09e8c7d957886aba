import { Fieldset, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ConnectorView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { ProblemAlert } from '~/ui/Problem';
import type { Schema } from '~/ui/schema-form/model';
import { SchemaForm } from '~/ui/schema-form/SchemaForm';
import { canGrant, Grants } from './Grants';
import { offersQuery } from './queries';
import type { ConnectionForm } from './useConnectionForm';

interface Props {
  form: ConnectionForm;
  connector: ConnectorView;
  stored?: readonly string[];
  references?: Record<string, string>;
  disabled?: boolean;
}

/** A connection's name, its connector's own form, and what it may do beyond the sandbox. */
export function ConnectionFields({ form, connector, stored, references, disabled }: Props) {
  const { tenant } = useHere();
  const { data: offers } = useQuery(offersQuery(tenant));
  const { values, change, problem } = form;
  return (
    <Stack>
      {form.error && <ProblemAlert error={form.error} />}
      <TextInput
        label={t.common.name}
        description={t.connections.nameHint}
        required
        value={values.name}
        onChange={event => change({ name: event.currentTarget.value })}
        error={problem?.field === 'name' ? problem.problem.detail : undefined}
        disabled={disabled}
        maxLength={100}
      />
      <SchemaForm
        schema={connector.config as Schema}
        value={values.config}
        change={config => change({ config })}
        errors={form.errors}
        stored={stored}
        references={references}
        offered={offers?.secrets}
        disabled={disabled}
      />
      {offers && canGrant(offers, connector, values.grants) && (
        <Fieldset legend={t.connections.grants}>
          <Text size="sm" c="dimmed" mb="sm">
            {t.connections.grantsHint}
          </Text>
          <Grants
            connector={connector}
            value={values.grants}
            change={grants => change({ grants })}
            disabled={disabled}
            problem={problem?.field ? { field: problem.field, detail: problem.problem.detail } : undefined}
          />
        </Fieldset>
      )}
    </Stack>
  );
}
