import { Alert, Button, List, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api } from '~/api/client';
import { key } from '~/api/query';
import type { PipelineView, PlannedView } from '~/api/schema.gen';
import { bytes, number } from '~/format';
import { useHere } from '~/session/session';
import { t } from '~/texts';
import type { Column } from '~/ui/Listing';
import { Loaded } from '~/ui/Loaded';
import { Name } from '~/ui/Name';
import { PagedRows } from '~/ui/PagedRows';

const COLUMNS: Column<PlannedView>[] = [
  {
    title: t.runs.stream,
    width: 16,
    cell: plan => (
      <>
        <Name size="sm" fw={500}>
          {plan.stream}
        </Name>
        <Text size="xs" c="dimmed" truncate>
          <bdi>{plan.table}</bdi>
        </Text>
      </>
    ),
  },
  { title: t.pipelines.begins, cell: plan => <Name size="sm">{plan.from}</Name> },
  {
    title: t.connections.rows,
    end: true,
    cell: plan =>
      plan.rows == null ? '' : `≈ ${number(plan.rows)}${plan.bytes == null ? '' : ` · ${bytes(plan.bytes)}`}`,
  },
  { title: t.pipelines.parts, end: true, cell: plan => number(plan.splits), wide: true },
  { title: t.runs.table, width: 24, cell: plan => <Outcome plan={plan} /> },
];

function Outcome({ plan }: { plan: PlannedView }) {
  if (plan.error) {
    return (
      <Text size="sm" c="red" className="wrap-anywhere">
        {plan.error.message}
      </Text>
    );
  }
  if (plan.changes.length > 0) {
    return (
      <List size="sm">
        {plan.changes.map(change => (
          <List.Item key={change}>{change}</List.Item>
        ))}
      </List>
    );
  }
  return <Text size="sm">{plan.table_exists === false ? t.pipelines.tableNew : t.pipelines.noChanges}</Text>;
}

const idOf = (plan: PlannedView) => plan.stream;

/** What a run would do, asked of source and sink without doing it. */
export function DryRun({ pipeline }: { pipeline: PipelineView }) {
  const { tenant } = useHere();
  const [turn, again] = useState(0);
  const query = useQuery({
    queryKey: key(tenant, 'dry-run', pipeline.id, pipeline.revision, turn),
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
    queryFn: () =>
      answer(
        api.POST('/v1/tenants/{tenant}/pipelines/{pipeline}/dry-run', {
          params: { path: { tenant, pipeline: pipeline.id } },
        }),
      ),
  });
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t.pipelines.dryRunHint}
      </Text>
      <Loaded query={query}>
        {({ passed, streams }) => (
          <>
            <Alert color={passed ? 'green' : 'red'} role="status">
              {passed ? t.pipelines.dryRunPassed : t.pipelines.dryRunFailed}
            </Alert>
            <PagedRows label={t.pipelines.dryRun} columns={COLUMNS} items={streams} id={idOf} text={idOf} />
            <Button variant="default" onClick={() => again(turn + 1)} w="fit-content">
              {t.common.retry}
            </Button>
          </>
        )}
      </Loaded>
    </Stack>
  );
}
