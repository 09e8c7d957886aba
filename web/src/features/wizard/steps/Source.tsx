import { Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconPlug, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { allConnectionsQuery } from '~/features/connections/queries';
import { connectorsQuery } from '~/features/connectors/queries';
import { t } from '~/texts';
import { Loaded } from '~/ui/Loaded';
import { Name } from '~/ui/Name';
import { ConnectorIcon, type StepProps } from '../parts';
import { Tile, Tiles } from '../Tiles';
import classes from '../Wizard.module.css';

const MOST_CONNECTIONS = 24;

/** What is read from: a connector that is to be configured, or a connection that is there. */
export function Source({ tenant, draft, kept, go }: StepProps) {
  const [wanted, want] = useState('');
  const connectors = useQuery(connectorsQuery(tenant));
  const connections = useQuery(allConnectionsQuery(tenant));
  const matches = (...texts: string[]) => texts.some(text => text.toLowerCase().includes(wanted.trim().toLowerCase()));
  const taken = new Set(connections.data?.items.map(one => one.name));
  const begin = (connector: string, title: string) => {
    kept.change(before =>
      before.source?.connector === connector
        ? { ...before, connection: undefined }
        : {
            ...before,
            connection: undefined,
            source: { connector, name: free(title, taken), config: {}, grants: {} },
            definition: { ...before.definition, streams: [] },
          },
    );
    go('configure');
  };
  const reuse = (connection: string) => {
    kept.change(before => ({
      ...before,
      source: undefined,
      connection,
      definition: before.connection === connection ? before.definition : { ...before.definition, streams: [] },
    }));
    go('test');
  };
  return (
    <Stack gap="lg">
      <TextInput
        type="search"
        label={t.wizard.source.search}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={wanted}
        onChange={event => want(event.currentTarget.value)}
        maw={360}
        data-autofocus
      />
      <Loaded query={connectors}>
        {({ items }) => {
          const found = items.filter(one => matches(one.title, one.name, one.description, one.publisher));
          return (
            <section aria-label={t.wizard.source.connectors}>
              <Title order={3} size="h5" mb="sm">
                {t.wizard.source.connectors}
              </Title>
              {found.length === 0 && <Text c="dimmed">{t.wizard.source.none(wanted)}</Text>}
              <Tiles label={t.wizard.source.connectors}>
                {found.map(one => (
                  <Tile
                    key={one.name}
                    chosen={draft.source?.connector === one.name}
                    onChoose={() => begin(one.name, one.title)}
                  >
                    <ConnectorIcon icon={one.icon} title={one.title} />
                    <div className={classes.grow}>
                      <Name fw={600} display="block">
                        {one.title}
                      </Name>
                      <Text size="xs" c="dimmed" component="div">
                        {t.wizard.source.publisher(one.publisher, one.version)}
                      </Text>
                      <Text size="sm" mt={4} lineClamp={3}>
                        {one.description}
                      </Text>
                    </div>
                  </Tile>
                ))}
              </Tiles>
            </section>
          );
        }}
      </Loaded>
      <Loaded query={connections}>
        {({ items }) => {
          const found = items.filter(one => matches(one.name, one.connector)).slice(0, MOST_CONNECTIONS);
          if (found.length === 0) return null;
          return (
            <section aria-label={t.wizard.source.connections}>
              <Title order={3} size="h5">
                {t.wizard.source.connections}
              </Title>
              <Text size="sm" c="dimmed" mb="sm">
                {t.wizard.source.connectionsHint}
              </Text>
              <Tiles label={t.wizard.source.connections}>
                {found.map(one => (
                  <Tile key={one.id} chosen={draft.connection === one.id} onChoose={() => reuse(one.id)}>
                    <Group wrap="nowrap" gap="sm" className={classes.grow}>
                      <IconPlug size={20} aria-hidden />
                      <div className={classes.grow}>
                        <Name fw={600} display="block">
                          {one.name}
                        </Name>
                        <Text size="xs" c="dimmed">
                          {one.connector}
                        </Text>
                      </div>
                    </Group>
                  </Tile>
                ))}
              </Tiles>
            </section>
          );
        }}
      </Loaded>
    </Stack>
  );
}

/** A name that no other connection has. */
function free(title: string, taken: ReadonlySet<string>): string {
  let name = title;
  for (let number = 2; taken.has(name); number += 1) name = `${title} ${number}`;
  return name;
}
