import { Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import type { Json } from '~/ui/schema-form/model';
import { SchemaForm } from '~/ui/schema-form/SchemaForm';
import type { Grants, Source } from '../draft';
import type { StepProps } from '../parts';
import { at } from '../secrets';

/** While somebody types, only what was typed can be wrong; what is missing is told when they want to go on. */
const typedWrong = (wrong: Record<string, string>, config: unknown) =>
  Object.fromEntries(Object.entries(wrong).filter(([place]) => at(config, place) !== undefined));

/** The connector's own form, and what the connection asks of whoever operates the service. */
export function Configure({ draft, kept, schema, wrong, can, offers, all }: StepProps & { all: boolean }) {
  const { source } = draft;
  if (!source || !schema) return null;
  const change = (part: Partial<Source>) =>
    kept.change(before => (before.source ? { ...before, source: { ...before.source, ...part } } : before));
  const grant = (part: Partial<Grants>) => change({ grants: { ...source.grants, ...part } });
  const asks = offers.private_network || offers.google_identity || can.folders.length > 0;
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
          stored={kept.secrets.filter(place => typeof at(source.config, place) !== 'string')}
        />
      </Panel>
      {asks && (
        <Panel title={t.wizard.configure.grants} hint={t.wizard.configure.grantsHint}>
          <Stack>
            {offers.private_network && (
              <Switch
                label={t.wizard.configure.privateNetwork}
                description={t.wizard.configure.privateNetworkHint}
                checked={source.grants.private_network ?? false}
                onChange={event => grant({ private_network: event.currentTarget.checked })}
              />
            )}
            {offers.google_identity && (
              <Switch
                label={t.wizard.configure.googleIdentity}
                description={t.wizard.configure.googleIdentityHint}
                checked={source.grants.google_identity ?? false}
                onChange={event => grant({ google_identity: event.currentTarget.checked })}
              />
            )}
            {can.folders.map(folder =>
              offers.folders.length > 0 ? (
                <Select
                  key={folder}
                  label={t.wizard.configure.folder(folder)}
                  description={t.wizard.configure.folderHint}
                  data={offers.folders}
                  value={source.grants.folders?.[folder] ?? null}
                  clearable
                  onChange={name => {
                    const { [folder]: _, ...others } = source.grants.folders ?? {};
                    grant({ folders: name === null ? others : { ...others, [folder]: name } });
                  }}
                />
              ) : (
                <Text key={folder} size="sm" c="dimmed">
                  {t.wizard.configure.noFolders(folder)}
                </Text>
              ),
            )}
          </Stack>
        </Panel>
      )}
    </Stack>
  );
}
