import { Stack, Text } from '@mantine/core';
import { IconServer } from '@tabler/icons-react';
import { bytes, number, short } from '~/format';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import { sum } from '../draft';
import type { StepProps } from '../parts';
import { Tile, Tiles } from '../Tiles';

/** Where runs are carried out: only what this service offers, with the estimate that the choice goes by. */
export function Where({ draft, offers, seen }: StepProps) {
  const { streams } = draft.definition;
  const rows = sum(streams.map(stream => seen.get(stream.id)?.rows));
  const size = sum(streams.map(stream => seen.get(stream.id)?.bytes));
  return (
    <Stack gap="lg">
      <Panel title={t.wizard.where.title} hint={t.wizard.where.hint}>
        <Tiles radio label={t.wizard.where.title}>
          {offers.runs.includes('local') && (
            <Tile radio chosen onChoose={() => undefined} label={t.wizard.where.local}>
              <IconServer aria-hidden />
              <div>
                <Text fw={600}>{t.wizard.where.local}</Text>
                <Text size="sm">{t.wizard.where.localHint}</Text>
              </div>
            </Tile>
          )}
        </Tiles>
      </Panel>
      <Panel title={t.wizard.where.estimate}>
        <Stack gap={4}>
          <Text>
            {rows === undefined ? t.wizard.where.unknown : t.wizard.where.rows(short(rows), number(streams.length))}
            {size !== undefined && ` ${t.wizard.where.size(bytes(size))}`}
          </Text>
          <Text size="sm" c="dimmed">
            {t.wizard.where.estimateHint}
          </Text>
        </Stack>
      </Panel>
    </Stack>
  );
}
