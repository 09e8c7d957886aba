import { Group, Pagination, Text, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { type ReactNode, useDeferredValue, useMemo, useState } from 'react';
import { number } from '~/format';
import { t } from '~/texts';
import { type Column, Rows } from './Listing';

const SIZE = 50;

interface Props<T> {
  label: string;
  columns: Column<T>[];
  items: T[];
  id: (item: T) => string;
  /** What the search looks at. */
  text: (item: T) => string;
  beside?: ReactNode;
}

/** A list that is here as a whole, however long it is: searched and shown page by page. */
export function PagedRows<T>({ label, columns, items, id, text, beside }: Props<T>) {
  const [typed, type] = useState('');
  const [page, setPage] = useState(1);
  const wanted = useDeferredValue(typed.trim().toLocaleLowerCase());
  const found = useMemo(
    () => (wanted === '' ? items : items.filter(item => text(item).toLocaleLowerCase().includes(wanted))),
    [items, wanted, text],
  );
  const last = Math.max(1, Math.ceil(found.length / SIZE));
  const shown = Math.min(page, last);
  return (
    <>
      {(items.length > SIZE || beside) && (
        <Group px="md" pb="xs" justify="space-between">
          {items.length > SIZE && (
            <TextInput
              type="search"
              aria-label={`${t.common.search}: ${label}`}
              placeholder={t.common.search}
              leftSection={<IconSearch size={16} aria-hidden />}
              value={typed}
              onChange={event => {
                type(event.currentTarget.value);
                setPage(1);
              }}
            />
          )}
          <Text size="sm" c="dimmed" role="status">
            {t.common.showing(number(found.length), number(items.length))}
          </Text>
          {beside}
        </Group>
      )}
      <Rows label={label} columns={columns} items={found.slice((shown - 1) * SIZE, shown * SIZE)} id={id} />
      {last > 1 && (
        <Group justify="center" p="sm">
          <Pagination
            total={last}
            value={shown}
            onChange={setPage}
            getControlProps={control => ({ 'aria-label': t.common.page[control] })}
            getItemProps={index => ({ 'aria-label': t.common.pageNumber(index) })}
          />
        </Group>
      )}
    </>
  );
}
