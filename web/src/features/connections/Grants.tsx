import { Fieldset, Stack, Switch, Text, TextInput } from '@mantine/core';
import type { ConnectorView, GrantsBody } from '~/api/schema.gen';
import { t } from '~/texts';

interface Props {
  connector?: ConnectorView;
  value: GrantsBody;
  change: (value: GrantsBody) => void;
  disabled?: boolean;
  /** The field that the service refused, and why. */
  problem?: { field: string; detail: string };
}

/** What a connection asks for beyond the sandbox. Folders are those that its connector names. */
export function Grants({ connector, value, change, disabled, problem }: Props) {
  const folders = [...new Set([...(connector?.folders ?? []), ...Object.keys(value.folders ?? {})])];
  const google = connector?.hosts.some(host => host.includes('googleapis.com')) || value.google_identity;
  const at = (field: string) => (problem?.field === `grants.${field}` ? problem.detail : undefined);
  return (
    <Fieldset legend={t.connections.grants}>
      <Stack>
        <Text size="sm" c="dimmed">
          {t.connections.grantsHint}
        </Text>
        {folders.map(folder => (
          <TextInput
            key={folder}
            label={`${t.connections.folders}: ${folder}`}
            description={t.connections.foldersHint}
            value={String((value.folders as Record<string, string> | undefined)?.[folder] ?? '')}
            error={at(`folders.${folder}`) ?? at('folders')}
            disabled={disabled}
            onChange={event => {
              const { [folder]: _, ...rest } = (value.folders ?? {}) as Record<string, string>;
              const name = event.currentTarget.value;
              change({ ...value, folders: name === '' ? rest : { ...rest, [folder]: name } });
            }}
          />
        ))}
        {(connector === undefined || connector.hosts.length > 0) && (
          <Switch
            label={t.connections.privateNetwork}
            description={t.connections.privateNetworkHint}
            checked={value.private_network ?? false}
            error={at('private_network')}
            disabled={disabled}
            onChange={event => change({ ...value, private_network: event.currentTarget.checked })}
          />
        )}
        {google && (
          <>
            <Switch
              label={t.connections.googleIdentity}
              description={t.connections.googleIdentityHint}
              checked={value.google_identity ?? false}
              error={at('google_identity')}
              disabled={disabled}
              onChange={event => change({ ...value, google_identity: event.currentTarget.checked })}
            />
            <TextInput
              label={t.connections.tokenEndpoint}
              description={t.connections.tokenEndpointHint}
              value={value.google_token_endpoint ?? ''}
              error={at('google_token_endpoint')}
              disabled={disabled}
              onChange={event => change({ ...value, google_token_endpoint: event.currentTarget.value || null })}
            />
          </>
        )}
      </Stack>
    </Fieldset>
  );
}
