import { Alert, Code, Group, List, Pagination, Stack, Table, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { useState } from 'react';
import type { SampleView } from '~/api/schema.gen';
import { number } from '~/format';
import { t } from '~/texts';
import { Name } from '~/ui/Name';
import classes from '../Wizard.module.css';

const COLUMNS = 20;
const ROWS = 20;

/** Rows as the table will have them, and what the casts would lose of them. */
export function SampleTable({ sample }: { sample: SampleView }) {
  const [page, setPage] = useState(1);
  const pages = Math.ceil(sample.columns.length / COLUMNS);
  const from = (Math.min(page, Math.max(pages, 1)) - 1) * COLUMNS;
  const columns = sample.columns.slice(from, from + COLUMNS);
  const lossy = sample.columns.filter(column => column.misfits + column.changed > 0);
  if (sample.rows.length === 0) return <Text c="dimmed">{t.wizard.map.noRows}</Text>;
  return (
    <Stack>
      {lossy.length === 0 ? (
        <Text size="sm" c="dimmed">
          <IconCheck size={14} aria-hidden /> {t.wizard.map.nothingLost(number(sample.rows.length))}
        </Text>
      ) : (
        <Alert
          color="yellow"
          variant="light"
          icon={<IconAlertTriangle aria-hidden />}
          title={t.wizard.map.lost(number(sample.rows.length))}
        >
          <List size="sm" spacing="xs">
            {lossy.map(column => (
              <List.Item key={column.source}>
                <b>
                  <bdi>{column.name}</bdi>
                </b>{' '}
                ({column.type}): {column.misfits > 0 && t.wizard.map.misfitCount(number(column.misfits))}
                {column.misfits > 0 && column.changed > 0 && ', '}
                {column.changed > 0 && t.wizard.map.changedCount(number(column.changed))}
                <Group gap="xs" mt={4}>
                  {column.examples.map(example => (
                    <Text key={example.row} size="xs" span className="wrap-anywhere">
                      <Code>{example.before}</Code> → <Code>{example.after ?? 'NULL'}</Code>
                    </Text>
                  ))}
                </Group>
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1) */}
      <section className="table-scroll" tabIndex={0} aria-label={t.wizard.map.preview}>
        <Table className={classes.sample} withColumnBorders striped>
          <Table.Thead>
            <Table.Tr>
              {columns.map(column => (
                <Table.Th key={column.source}>
                  <Name size="sm" fw={600} display="block">
                    {column.name}
                  </Name>
                  <Text size="xs" c="dimmed" fw={400}>
                    {column.type}
                    {!column.nullable && ` ${t.wizard.map.required}`}
                  </Text>
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sample.rows.slice(0, ROWS).map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows of a sample have no other name
              <Table.Tr key={index}>
                {columns.map((column, at) => {
                  const cell = row[from + at];
                  return (
                    <Table.Td key={column.source} title={cell ?? 'NULL'}>
                      {cell == null ? (
                        <Text span size="sm" c="dimmed" fs="italic">
                          NULL
                        </Text>
                      ) : (
                        <bdi>{cell}</bdi>
                      )}
                    </Table.Td>
                  );
                })}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      {pages > 1 && (
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {t.wizard.map.columnsShown(number(from + 1), number(from + columns.length), number(sample.columns.length))}
          </Text>
          <Pagination
            total={pages}
            value={page}
            onChange={setPage}
            size="sm"
            getControlProps={control => ({ 'aria-label': t.wizard.map.pages[control] ?? control })}
          />
        </Group>
      )}
    </Stack>
  );
}
