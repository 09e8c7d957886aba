import { Badge, Button, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { itemsOf } from '~/api/query';
import type { VersionView } from '~/api/schema.gen';
import { Who } from '~/features/shared/Who';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import { type Column, Rows } from '~/ui/Listing';
import { TextLink } from '~/ui/links';
import { Name } from '~/ui/Name';
import { Panel } from '~/ui/Panel';
import { Ago } from '~/ui/Time';
import { versionsQuery } from './versions';

const COLOURS: Record<string, string> = { valid: 'yellow', installed: 'green', yanked: 'red' };

export function VersionState({ state }: { state: string }) {
  return (
    <Badge color={COLOURS[state] ?? 'gray'} variant="light" tt="none" flex="none">
      {t.versions.states[state] ?? state}
    </Badge>
  );
}

/** What the tenant has uploaded, with what was decided about it. */
export function VersionList() {
  const { tenant } = useHere();
  const query = useInfiniteQuery(versionsQuery(tenant));
  const items = itemsOf(query.data);
  const words = t.versions.columns;
  const columns: Column<VersionView>[] = [
    {
      title: words.connector,
      width: 16,
      cell: version => (
        <TextLink
          to="/t/$tenant/connector-versions/$sha256"
          params={{ tenant, sha256: version.sha256 }}
          size="sm"
          display="block"
        >
          <Name size="sm">{version.name}</Name>
        </TextLink>
      ),
    },
    { title: words.version, cell: version => version.version },
    { title: words.state, cell: version => <VersionState state={version.state} /> },
    { title: words.publisher, cell: version => <Name size="sm">{version.publisher}</Name>, wide: true },
    { title: words.at, cell: version => <Ago at={version.uploaded_at} />, wide: true },
    { title: words.by, cell: version => <Who id={version.uploaded_by} />, wide: true },
  ];
  if (items.length === 0) return null;
  return (
    <Panel title={t.versions.list} flush>
      <Rows label={t.versions.list} columns={columns} items={items} id={version => version.sha256} />
      {query.hasNextPage && (
        <Button variant="subtle" m="sm" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t.common.more}
        </Button>
      )}
      {query.isFetchNextPageError && (
        <Text c="red" size="sm" p="sm">
          {query.error?.message}
        </Text>
      )}
    </Panel>
  );
}
