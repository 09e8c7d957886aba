import { Group, Paper, Stack, Text } from '@mantine/core';
import { IconPuzzle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { ConnectorView } from '~/api/schema.gen';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Empty } from '~/ui/Empty';
import { Loaded } from '~/ui/Loaded';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import { SearchField } from '~/ui/SearchField';
import { ConnectorIcon } from './ConnectorIcon';
import { connectorsQuery } from './queries';

/** The connectors that there are, searched by name and publisher. `link` makes each one's title lead somewhere. */
export function ConnectorCards({ link }: { link: (connector: ConnectorView, title: ReactNode) => ReactNode }) {
  const { tenant } = useHere();
  const query = useQuery(connectorsQuery(tenant));
  const [typed, type] = useState('');
  const wanted = typed.trim().toLocaleLowerCase();
  const matches = (each: ConnectorView) =>
    `${each.title} ${each.name} ${each.publisher} ${each.description}`.toLocaleLowerCase().includes(wanted);
  return (
    <Stack>
      <SearchField label={t.connectors.search} value={typed} change={type} />
      <Loaded query={query}>
        {({ items }) => {
          const found = items.filter(matches);
          if (found.length === 0) {
            return (
              <Panel>
                <Empty icon={IconPuzzle} title={items.length > 0 ? t.connectors.none : t.connectors.empty}>
                  {items.length === 0 && t.connectors.emptyHint}
                </Empty>
              </Panel>
            );
          }
          return (
            <div className="cards">
              {found.map(connector => (
                <Paper key={connector.name} withBorder radius="md" p="md">
                  <Group wrap="nowrap" align="flex-start">
                    <ConnectorIcon connector={connector} />
                    <Stack gap={2} miw={0}>
                      {link(connector, <Name>{connector.title}</Name>)}
                      <Text size="xs" c="dimmed">
                        <bdi>{t.connectors.by(connector.publisher)}</bdi> · {t.connectors.version(connector.version)}
                      </Text>
                      <Text size="sm" lineClamp={3} mt={4}>
                        {connector.description}
                      </Text>
                    </Stack>
                  </Group>
                </Paper>
              ))}
            </div>
          );
        }}
      </Loaded>
    </Stack>
  );
}
