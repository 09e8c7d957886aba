import { Button, Code, Modal, Stack, Text, TextInput, Tooltip } from '@mantine/core';
import { IconDownload, IconHistory, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useDeferredValue, useEffect, useState } from 'react';
import { answer, api } from '~/api/client';
import { itemsOf, key, pages } from '~/api/query';
import type { AuditEntry } from '~/api/schema.gen';
import { Who } from '~/features/shared/Who';
import { number } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Empty } from '~/ui/Empty';
import { type Column, Listing, Rows } from '~/ui/Listing';
import { Name } from '~/ui/Name';
import { Page } from '~/ui/Page';
import { Panel } from '~/ui/Panel';
import { At } from '~/ui/Time';

/** Entries that the filter looks at; the export has all. */
const MOST = 2_000;

const auditQuery = (tenant: string) =>
  pages(key(tenant, 'audit'), after =>
    answer(api.GET('/v1/tenants/{tenant}/audit', { params: { path: { tenant }, query: { after, limit: 100 } } })),
  );

export function AuditPage() {
  const { tenant } = useHere();
  const query = useInfiniteQuery(auditQuery(tenant));
  const [typed, type] = useState('');
  const [shown, show] = useState<AuditEntry>();
  const wanted = useDeferredValue(typed.trim().toLocaleLowerCase());
  const entries = itemsOf(query.data);
  const { hasNextPage, isFetching, fetchNextPage } = query;
  useEffect(() => {
    if (wanted && hasNextPage && !isFetching && entries.length < MOST) void fetchNextPage();
  }, [wanted, hasNextPage, isFetching, fetchNextPage, entries.length]);
  const found = wanted ? entries.filter(entry => textOf(entry).includes(wanted)) : entries;
  const words = t.audit.columns;
  const columns: Column<AuditEntry>[] = [
    { title: words.at, cell: entry => <At at={entry.at} />, width: 16 },
    { title: words.actor, cell: entry => <Who id={entry.actor} /> },
    { title: words.action, cell: entry => <Code>{entry.action}</Code> },
    { title: words.object, cell: entry => <Name size="sm">{entry.object}</Name>, wide: true },
    { title: words.address, cell: entry => entry.address && <Name size="sm">{entry.address}</Name>, wide: true },
    {
      title: words.detail,
      end: true,
      cell: entry => (
        <Button
          size="compact-sm"
          variant="default"
          onClick={() => show(entry)}
          aria-label={`${t.audit.show}: ${t.audit.detailOf(number(entry.seq))}`}
        >
          {t.audit.show}
        </Button>
      ),
    },
  ];
  return (
    <Page
      title={t.audit.title}
      lead={t.audit.lead}
      actions={
        <Tooltip label={t.audit.exportHint}>
          <Button
            component="a"
            href={`/v1/tenants/${tenant}/audit/export`}
            download="audit.ndjson"
            variant="default"
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            {t.audit.export}
          </Button>
        </Tooltip>
      }
    >
      <Stack>
        <TextInput
          type="search"
          label={t.audit.search}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={typed}
          onChange={event => type(event.currentTarget.value)}
          maw={420}
        />
        {wanted ? (
          <>
            <Text size="sm" c="dimmed" role="status">
              {t.audit.looked(number(found.length), number(entries.length))}
            </Text>
            {found.length > 0 ? (
              <Panel flush>
                <Rows label={t.audit.title} columns={columns} items={found} id={entry => String(entry.seq)} />
              </Panel>
            ) : (
              <Panel>
                <Empty icon={IconSearch} title={t.audit.none}>
                  {t.audit.noneHint(number(entries.length))}
                </Empty>
              </Panel>
            )}
          </>
        ) : (
          <Listing
            label={t.audit.title}
            columns={columns}
            query={query}
            id={entry => String(entry.seq)}
            empty={
              <Empty icon={IconHistory} title={t.audit.empty}>
                {t.audit.lead}
              </Empty>
            }
          />
        )}
      </Stack>
      <Modal
        opened={shown !== undefined}
        onClose={() => show(undefined)}
        title={t.audit.detailOf(number(shown?.seq ?? 0))}
        size="lg"
      >
        <Code block className="wrap-anywhere">
          {JSON.stringify(shown, null, 2)}
        </Code>
      </Modal>
    </Page>
  );
}

function textOf(entry: AuditEntry): string {
  return `${entry.action} ${entry.object} ${entry.actor} ${entry.address ?? ''} ${JSON.stringify(entry.detail)}`.toLocaleLowerCase();
}
