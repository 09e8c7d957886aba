import { Button, Center, Table, Text } from '@mantine/core';
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { itemsOf, type Page } from '~/api/query';
import { t } from '~/texts';
import { Waiting } from './Loaded';
import { Panel } from './Panel';
import { ProblemAlert } from './Problem';

export interface Column<T> {
  title: string;
  cell: (item: T) => ReactNode;
  /** Numbers stand at the end. */
  end?: boolean;
  /** At least so wide, in characters. */
  width?: number;
  /** Left out on small screens. */
  wide?: boolean;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  query: UseInfiniteQueryResult<InfiniteData<Page<T>>, Error>;
  id: (item: T) => string;
  /** What stands there when there is nothing. */
  empty: ReactNode;
}

/** A list of the API as a table; more of it is asked for as one goes, so that no list is too long for the page. */
export function Listing<T>({ label, columns, query, id, empty }: Props<T>) {
  if (query.isPending) return <Waiting lines={6} />;
  const items = itemsOf(query.data);
  if (query.error && items.length === 0) return <ProblemAlert error={query.error} retry={() => void query.refetch()} />;
  if (items.length === 0) return <Panel>{empty}</Panel>;
  return (
    <Panel flush>
      <Rows label={label} columns={columns} items={items} id={id} />
      {query.hasNextPage && (
        <Center p="sm">
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t.common.more}
          </Button>
        </Center>
      )}
      {query.isFetchNextPageError && (
        <Text c="red" size="sm" ta="center" pb="sm">
          {query.error?.message}
        </Text>
      )}
    </Panel>
  );
}

export function Rows<T>({ label, columns, items, id }: Pick<Props<T>, 'label' | 'columns' | 'id'> & { items: T[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section className="table-scroll" aria-label={label} tabIndex={0}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {columns.map(column => (
              <Table.Th
                key={column.title}
                ta={column.end ? 'end' : undefined}
                miw={column.width ? `${column.width}ch` : undefined}
                className={column.wide ? 'wide-only' : undefined}
              >
                {column.title}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map(item => (
            <Table.Tr key={id(item)}>
              {columns.map(column => (
                <Table.Td
                  key={column.title}
                  ta={column.end ? 'end' : undefined}
                  className={[column.end ? 'numbers' : '', column.wide ? 'wide-only' : '', 'cell'].join(' ')}
                >
                  {column.cell(item)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
