import { Select, Stack, Switch, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ConnectorView, GrantsBody, OffersView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { offersQuery } from './queries';

/** Nothing beyond the sandbox. */
export const NOTHING: GrantsBody = {
  private_network: false,
  google_identity: false,
  google_token_endpoint: null,
  folders: {},
};

type Asks = Pick<ConnectorView, 'folders' | 'hosts'>;

/** What can be asked for: what the service offers and the connector has a use for, and what is granted already. */
function askable(offers: OffersView, connector: Asks, value: GrantsBody) {
  const google = connector.hosts.some(host => host.includes('googleapis.com'));
  return {
    network: (connector.hosts.length > 0 && offers.private_network) || value.private_network === true,
    identity: (google && offers.google_identity) || value.google_identity === true,
    endpoint: (google && offers.endpoints) || Boolean(value.google_token_endpoint),
    folders: [...new Set([...connector.folders, ...Object.keys(value.folders ?? {})])],
  };
}

/** Whether there is anything that can be asked for. */
export function canGrant(offers: OffersView, connector: Asks, value: GrantsBody): boolean {
  const { network, identity, endpoint, folders } = askable(offers, connector, value);
  return network || identity || endpoint || folders.length > 0;
}

interface Props {
  connector: Asks;
  value: GrantsBody;
  change: (value: GrantsBody) => void;
  disabled?: boolean;
  /** The field that the service refused, and why. */
  problem?: { field: string; detail: string };
}

/** What a connection asks for beyond the sandbox: only what the service offers, and what it has already. */
export function Grants({ connector, value, change, disabled, problem }: Props) {
  const { tenant } = useHere();
  const { data: offers } = useQuery(offersQuery(tenant));
  if (!offers) return null;
  const lent = (value.folders ?? {}) as Record<string, string>;
  const { network, identity, endpoint, folders } = askable(offers, connector, value);
  const at = (field: string) => (problem?.field === `grants.${field}` ? problem.detail : undefined);
  return (
    <Stack>
      {network && (
        <Switch
          label={t.connections.privateNetwork}
          description={t.connections.privateNetworkHint}
          checked={value.private_network ?? false}
          error={at('private_network')}
          disabled={disabled}
          onChange={event => change({ ...value, private_network: event.currentTarget.checked })}
        />
      )}
      {identity && (
        <Switch
          label={t.connections.googleIdentity}
          description={t.connections.googleIdentityHint}
          checked={value.google_identity ?? false}
          error={at('google_identity')}
          disabled={disabled}
          onChange={event => change({ ...value, google_identity: event.currentTarget.checked })}
        />
      )}
      {endpoint && (
        <TextInput
          label={t.connections.tokenEndpoint}
          description={t.connections.tokenEndpointHint}
          value={value.google_token_endpoint ?? ''}
          error={at('google_token_endpoint')}
          disabled={disabled}
          onChange={event => change({ ...value, google_token_endpoint: event.currentTarget.value || null })}
        />
      )}
      {folders.map(folder => (
        <Folder
          key={folder}
          name={folder}
          offered={offers.folders}
          value={lent[folder]}
          error={at(`folders.${folder}`) ?? at('folders')}
          disabled={disabled}
          change={name => {
            const { [folder]: _, ...others } = lent;
            change({ ...value, folders: name === null ? others : { ...others, [folder]: name } });
          }}
        />
      ))}
    </Stack>
  );
}

interface FolderProps {
  name: string;
  offered: string[];
  value: string | undefined;
  error?: string;
  disabled?: boolean;
  change: (name: string | null) => void;
}

function Folder({ name, offered, value, error, disabled, change }: FolderProps) {
  if (offered.length === 0 && value === undefined) {
    return (
      <Text size="sm" c="dimmed">
        {t.connections.noFolders(name)}
      </Text>
    );
  }
  return (
    <Select
      label={t.connections.folder(name)}
      description={t.connections.folderHint}
      // One that is not offered any more is still what stands there.
      data={[...new Set([...offered, ...(value === undefined ? [] : [value])])]}
      value={value ?? null}
      error={error}
      disabled={disabled}
      clearable
      onChange={change}
    />
  );
}
