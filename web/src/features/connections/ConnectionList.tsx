import { Stack } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconPlug, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { ConnectionView } from '~/api/schema.gen';
import { connectorsQuery } from '~/features/connectors/queries';
import { number } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Empty } from '~/ui/Empty';
import { type Column, Listing } from '~/ui/Listing';
import { TextLink } from '~/ui/links';
import { Name } from '~/ui/Name';
import { SearchField } from '~/ui/SearchField';
import { Ago } from '~/ui/Time';
import { connectionsQuery } from './queries';

export function ConnectionList({ make }: { make?: ReactNode }) {
  const { tenant } = useHere();
  const [typed, type] = useState('');
  const [contains] = useDebouncedValue(typed.trim(), 250);
  const query = useInfiniteQuery(connectionsQuery(tenant, contains || undefined));
  const connectors = useQuery(connectorsQuery(tenant));
  const titles = new Map(connectors.data?.items.map(connector => [connector.name, connector.title]));
  const columns: Column<ConnectionView>[] = [
    {
      title: t.connections.columns.name,
      width: 20,
      cell: connection => (
        <TextLink
          to="/t/$tenant/connections/$connection"
          params={{ tenant, connection: connection.id }}
          display="block"
        >
          <Name>{connection.name}</Name>
        </TextLink>
      ),
    },
    {
      title: t.connections.columns.connector,
      cell: connection => <Name size="sm">{titles.get(connection.connector) ?? connection.connector}</Name>,
    },
    {
      title: t.connections.columns.secrets,
      end: true,
      wide: true,
      cell: connection => number(connection.secrets.length),
    },
    { title: t.connections.columns.changed, wide: true, cell: connection => <Ago at={connection.updated_at} /> },
  ];
  return (
    <Stack>
      <SearchField label={t.connections.search} value={typed} change={type} />
      <Listing
        label={t.connections.title}
        columns={columns}
        query={query}
        id={connection => connection.id}
        empty={
          contains ? (
            <Empty icon={IconSearch} title={t.connections.emptySearch}>
              {t.connections.emptySearchHint}
            </Empty>
          ) : (
            <Empty icon={IconPlug} title={t.connections.empty} action={make}>
              {t.connections.emptyHint}
            </Empty>
          )
        }
      />
    </Stack>
  );
}
