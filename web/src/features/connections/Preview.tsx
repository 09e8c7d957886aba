import { Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Loaded } from '~/ui/Loaded';
import { Name } from '~/ui/Name';

/** Columns beyond these are left out of the table: a source may have thousands. */
const MOST = 60;

/** The first rows of a stream, as the source gives them. */
export function Preview({ connection, stream }: { connection: string; stream: string }) {
  const { tenant } = useHere();
  const query = useQuery({
    queryKey: key(tenant, 'preview', connection, stream),
    // Looking is in the audit log, so it is not repeated by itself.
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    queryFn: () =>
      answer(
        api.POST('/v1/tenants/{tenant}/connections/{connection}/preview', {
          params: { path: { tenant, connection } },
          body: { stream, rows: 20 },
        }),
      ),
  });
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t.connections.previewHint}
      </Text>
      <Loaded query={query}>
        {({ columns, rows }) => (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
          <section className="table-scroll" tabIndex={0} aria-label={t.connections.preview}>
            <Table withColumnBorders>
              <Table.Thead>
                <Table.Tr>
                  {columns.slice(0, MOST).map(column => (
                    <Table.Th key={column.name}>
                      <Name size="sm">{column.name}</Name>
                      <Text size="xs" c="dimmed">
                        {column.type}
                      </Text>
                    </Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {rows.map((row, index) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name
                  <Table.Tr key={index}>
                    {row.slice(0, MOST).map((value, column) => (
                      <Table.Td key={columns[column]?.name} className="cell">
                        {value === null ? (
                          <Text span size="xs" c="dimmed">
                            NULL
                          </Text>
                        ) : (
                          <Name size="sm" ff="monospace">
                            {value}
                          </Name>
                        )}
                      </Table.Td>
                    ))}
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </section>
        )}
      </Loaded>
    </Stack>
  );
}
