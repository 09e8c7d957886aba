import { Anchor, Code, Group, List, Stack, Text } from '@mantine/core';
import { IconCheck, IconMinus } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import type { ConnectorView } from '~/api/schema.gen';
import { allConnectionsQuery } from '~/features/connections/queries';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { FactList } from '~/ui/FactList';
import type { Column } from '~/ui/Listing';
import { TextLink } from '~/ui/links';
import { Name } from '~/ui/Name';
import { Page } from '~/ui/Page';
import { PagedRows } from '~/ui/PagedRows';
import { Panel } from '~/ui/Panel';
import { Prose } from '~/ui/Prose';
import { type Field, fieldsOf, type Schema } from '~/ui/schema-form/model';
import { ConnectorIcon } from './ConnectorIcon';
import { GoBack } from './GoBack';
import { Held } from './Held';
import { connectorQuery } from './queries';
import { RecordingList } from './RecordingList';

const FIELDS: Column<Field>[] = [
  { title: t.common.name, cell: field => <Name size="sm">{field.label}</Name>, width: 16 },
  {
    title: t.connectors.about,
    cell: field => (
      <Text size="sm">
        <Prose text={field.schema.description ?? ''} />
      </Text>
    ),
  },
  { title: '', cell: field => (field.required ? '' : t.common.optional), wide: true },
];
const nameOf = (field: Field) => field.name;

/** What a connector is, what it can do, and what it may. */
export function ConnectorPage({ name }: { name: string }) {
  const { tenant } = useHere();
  const { data: connector } = useSuspenseQuery(connectorQuery(tenant, name));
  const schema = connector.config as Schema;
  return (
    <Page
      title={connector.title}
      lead={connector.description}
      beside={<ConnectorIcon connector={connector} size={32} />}
      crumbs={
        <TextLink to="/t/$tenant/connectors" params={{ tenant }} size="sm">
          {t.connectors.title}
        </TextLink>
      }
      actions={<GoBack connector={connector} />}
    >
      <Held connector={connector} />
      <div className="halves">
        <About connector={connector} />
        <Permissions connector={connector} />
      </div>
      <Panel title={t.connectors.config} flush>
        <PagedRows
          label={t.connectors.config}
          columns={FIELDS}
          items={fieldsOf(schema, schema)}
          id={nameOf}
          text={nameOf}
        />
      </Panel>
      <RecordingList connector={connector} />
      <Users name={name} />
    </Page>
  );
}

function About({ connector }: { connector: ConnectorView }) {
  return (
    <Panel title={t.connectors.about}>
      <Stack>
        <FactList
          facts={[
            [t.connectors.versionTitle, <Version key="version" connector={connector} />],
            [t.connectors.publisher, <bdi key="by">{connector.publisher}</bdi>],
            [t.connectors.contract, connector.contract],
            [
              t.connectors.docs,
              /^https?:/.test(connector.docs) && (
                <Anchor href={connector.docs} target="_blank" rel="noreferrer" size="sm">
                  {connector.docs}
                </Anchor>
              ),
            ],
            [
              t.connectors.digest,
              <Code key="digest" className="wrap-anywhere">
                {connector.sha256}
              </Code>,
            ],
          ]}
        />
        <div>
          <Text fw={600} size="sm" mb={4}>
            {t.connectors.can}
          </Text>
          <List size="sm" spacing={4} center>
            {Object.entries(connector.capabilities).map(([can, has]) => (
              <List.Item
                key={can}
                icon={
                  has ? (
                    <IconCheck size={16} aria-label={t.common.yes} />
                  ) : (
                    <IconMinus size={16} aria-label={t.common.no} />
                  )
                }
                c={has ? undefined : 'dimmed'}
              >
                {t.connectors.cans[can] ?? can}
              </List.Item>
            ))}
          </List>
        </div>
      </Stack>
    </Panel>
  );
}

/** The version that runs use, and the one before it; those that were uploaded have pages of their own. */
function Version({ connector }: { connector: ConnectorView }) {
  const { tenant } = useHere();
  if (connector.origin !== 'tenant') return connector.version;
  const link = (sha256: string, words: string) => (
    <TextLink to="/t/$tenant/connector-versions/$sha256" params={{ tenant, sha256 }} size="sm">
      {words}
    </TextLink>
  );
  return (
    <Group gap="md">
      {link(connector.sha256, connector.version)}
      {connector.previous && link(connector.previous, t.versions.before)}
    </Group>
  );
}

/** What a connector asks for: who approves it sees this. */
export function Permissions({ connector }: { connector: Pick<ConnectorView, 'hosts' | 'folders' | 'secrets_inside'> }) {
  return (
    <Panel title={t.connectors.may}>
      <Stack>
        <Words
          title={t.connectors.hosts}
          hint={t.connectors.hostsHint}
          words={connector.hosts}
          none={t.connectors.noHosts}
        />
        {connector.folders.length > 0 && <Words title={t.connectors.folders} words={connector.folders} none="" />}
        <Words
          title={t.connectors.secrets}
          hint={t.connectors.secretsHint}
          words={connector.secrets_inside}
          none={t.connectors.noSecrets}
        />
      </Stack>
    </Panel>
  );
}

function Words({ title, hint, words, none }: { title: string; hint?: string; words: string[]; none: string }) {
  return (
    <div>
      <Text fw={600} size="sm">
        {title}
      </Text>
      {words.length > 0 ? (
        <>
          <Group gap={6} my={4}>
            {words.map(word => (
              <Code key={word} className="wrap-anywhere">
                {word}
              </Code>
            ))}
          </Group>
          {hint && (
            <Text size="xs" c="dimmed">
              {hint}
            </Text>
          )}
        </>
      ) : (
        <Text size="sm" c="dimmed">
          {none}
        </Text>
      )}
    </div>
  );
}

function Users({ name }: { name: string }) {
  const { tenant } = useHere();
  const connections = useQuery(allConnectionsQuery(tenant));
  const users = connections.data?.items.filter(connection => connection.connector === name) ?? [];
  if (users.length === 0) return null;
  return (
    <Panel title={t.connectors.use}>
      <Group gap="md">
        {users.slice(0, 50).map(connection => (
          <TextLink
            key={connection.id}
            to="/t/$tenant/connections/$connection"
            params={{ tenant, connection: connection.id }}
            size="sm"
            maw="100%"
          >
            <Name size="sm">{connection.name}</Name>
          </TextLink>
        ))}
      </Group>
    </Panel>
  );
}
