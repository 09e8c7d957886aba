import { Button, Code, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { PipelineView } from '~/api/schema.gen';
import { number } from '~/format';
import { t } from '~/texts';
import type { Column } from '~/ui/Listing';
import { Name } from '~/ui/Name';
import { PagedRows } from '~/ui/PagedRows';
import { Panel } from '~/ui/Panel';
import { type ColumnRule, columnRules, definitionOf, incrementalOf, type StreamDefinition } from './definition';

const idOf = (stream: StreamDefinition) => stream.id;
const textOf = (stream: StreamDefinition) => `${stream.id} ${stream.table ?? ''}`;

/** The streams of a pipeline, and how each gets into its table. */
export function StreamTable({ pipeline }: { pipeline: PipelineView }) {
  const [shown, show] = useState<StreamDefinition>();
  const words = t.pipelines.streamColumns;
  const columns: Column<StreamDefinition>[] = [
    {
      title: words.stream,
      width: 20,
      cell: stream => (
        <Name size="sm" fw={500}>
          {stream.id}
        </Name>
      ),
    },
    { title: words.table, cell: stream => <Name size="sm">{stream.table ?? ''}</Name>, wide: true },
    { title: words.load, cell: stream => t.pipelines.loads[stream.load ?? 'transactional'] ?? stream.load },
    {
      title: words.read,
      wide: true,
      cell: stream => {
        const column = incrementalOf(stream);
        return column === undefined ? t.pipelines.full : <Name size="sm">{t.pipelines.incremental(column)}</Name>;
      },
    },
    {
      title: words.columns,
      end: true,
      cell: stream => (stream.columns ? number(stream.columns.length) : t.pipelines.allColumns),
    },
    { title: words.checks, end: true, wide: true, cell: stream => number(stream.checks?.length ?? 0) },
    {
      title: t.pipelines.mapping,
      end: true,
      cell: stream => (
        <Button
          variant="default"
          size="compact-sm"
          onClick={() => show(stream)}
          aria-label={`${t.pipelines.show}: ${stream.id}`}
        >
          {t.pipelines.show}
        </Button>
      ),
    },
  ];
  return (
    <Panel title={t.pipelines.tabs.streams} flush>
      <PagedRows
        label={t.pipelines.tabs.streams ?? ''}
        columns={columns}
        items={definitionOf(pipeline.definition).streams}
        id={idOf}
        text={textOf}
      />
      <Modal
        opened={shown !== undefined}
        onClose={() => show(undefined)}
        title={<Name>{shown?.id ?? ''}</Name>}
        size="xl"
      >
        {shown && <Mapping stream={shown} />}
      </Modal>
    </Panel>
  );
}

const RULES: Column<ColumnRule>[] = [
  { title: t.pipelines.streamColumns.columns, cell: rule => <Name size="sm">{rule.column}</Name> },
  { title: t.pipelines.renamed, cell: rule => <Name size="sm">{rule.renamed ?? ''}</Name> },
  { title: t.pipelines.castTo, cell: rule => rule.cast && <Code>{rule.cast}</Code> },
  { title: t.pipelines.onMisfit, cell: rule => rule.misfit && (t.pipelines.misfits[rule.misfit] ?? rule.misfit) },
];
const columnOf = (rule: ColumnRule) => rule.column;

function Mapping({ stream }: { stream: StreamDefinition }) {
  const rules = columnRules(stream);
  const misfit = stream.on_misfit ?? 'fail';
  return (
    <Stack>
      {rules.length > 0 ? (
        <PagedRows label={t.pipelines.mapping} columns={RULES} items={rules} id={columnOf} text={columnOf} />
      ) : (
        <Text>{t.pipelines.mappingNone}</Text>
      )}
      <Text size="sm" c="dimmed">
        {t.pipelines.onMisfit}: {t.pipelines.misfits[misfit] ?? misfit}
      </Text>
      {(stream.checks?.length ?? 0) > 0 && (
        <div>
          <Text fw={500}>{t.pipelines.checks}</Text>
          {stream.checks?.map(check => (
            <Code block key={JSON.stringify(check)} mt={4}>
              {JSON.stringify(check)}
            </Code>
          ))}
        </div>
      )}
    </Stack>
  );
}
