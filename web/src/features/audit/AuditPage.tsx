import { Button, Code, Group, Modal, Select, Stack, TextInput, Tooltip } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconDownload, IconHistory, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { AuditEntry } from '~/api/schema.gen';
import { membersQuery } from '~/features/members/queries';
import { Who } from '~/features/shared/Who';
import { number } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { Empty } from '~/ui/Empty';
import { type Column, Listing } from '~/ui/Listing';
import { Name } from '~/ui/Name';
import { Page } from '~/ui/Page';
import { At } from '~/ui/Time';
import { auditQuery, type Filter, isEmpty } from './queries';

/** Who else than people is in the log. */
const ACTORS = ['schedule', 'host', 'operator'];

const NOTHING: Filter = { contains: '', actor: null, from: '', to: '' };

export function AuditPage() {
  const { tenant } = useHere();
  const [filter, setFilter] = useState(NOTHING);
  const [settled] = useDebouncedValue(filter, 300);
  const query = useInfiniteQuery(auditQuery(tenant, settled));
  const [shown, show] = useState<AuditEntry>();
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
        <FilterForm value={filter} change={setFilter} />
        <Listing
          label={t.audit.title}
          columns={columns}
          query={query}
          id={entry => String(entry.seq)}
          empty={
            isEmpty(settled) ? (
              <Empty icon={IconHistory} title={t.audit.empty}>
                {t.audit.lead}
              </Empty>
            ) : (
              <Empty
                icon={IconSearch}
                title={t.audit.none}
                action={
                  <Button variant="default" onClick={() => setFilter(NOTHING)}>
                    {t.audit.clear}
                  </Button>
                }
              >
                {t.audit.noneHint}
              </Empty>
            )
          }
        />
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

/** Which entries are looked for. Members and what else acts are found by who they are, everything else by its words. */
function FilterForm({ value, change }: { value: Filter; change: (value: Filter) => void }) {
  const { tenant } = useHere();
  const members = useQuery(membersQuery(tenant));
  const people = (members.data?.items ?? []).map(member => ({ value: `user ${member.user}`, label: member.name }));
  const others = ACTORS.map(actor => ({ value: actor, label: t.who.others[actor] ?? actor }));
  return (
    <Group align="flex-end">
      <TextInput
        type="search"
        label={t.audit.search}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={value.contains}
        maxLength={100}
        onChange={event => change({ ...value, contains: event.currentTarget.value })}
        w={320}
        maw="100%"
      />
      <Select
        label={t.audit.columns.actor}
        placeholder={t.audit.anybody}
        data={[
          { group: t.audit.people, items: people },
          { group: t.audit.machines, items: others },
        ]}
        value={value.actor}
        clearable
        searchable
        onChange={actor => change({ ...value, actor })}
        w={220}
      />
      <TextInput
        type="date"
        label={t.audit.from}
        value={value.from}
        max={value.to || undefined}
        onChange={event => change({ ...value, from: event.currentTarget.value })}
      />
      <TextInput
        type="date"
        label={t.audit.to}
        value={value.to}
        min={value.from || undefined}
        onChange={event => change({ ...value, to: event.currentTarget.value })}
      />
    </Group>
  );
}
