import { Button, Group, Stack } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useEffect } from 'react';
import { TryingPanel } from '~/features/connections/TryingPanel';
import { isOver, tryDraft, useTrying } from '~/features/connections/trying';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import type { StepProps } from '../parts';

/** Connects as a run would. Each step says what was found, and what a person can do about it. */
export function Test({ tenant, id, kept, go, draft }: StepProps) {
  const tries = useTrying(tryDraft(tenant, id, kept.flush));
  const { trying, begin } = tries;
  // Who comes here wants to know; nothing is changed by it.
  useEffect(() => begin(), [begin]);
  const failed = trying?.error !== undefined || trying?.result?.passed === false;
  return (
    <Panel
      title={t.wizard.test.title}
      hint={t.wizard.test.hint}
      actions={
        <Button
          variant="default"
          leftSection={<IconPlugConnected size={16} aria-hidden />}
          loading={trying && !isOver(trying)}
          onClick={begin}
        >
          {t.wizard.test.again}
        </Button>
      }
    >
      <Stack>
        <TryingPanel tries={tries} />
        {failed && draft.source && (
          <Group>
            <Button variant="default" onClick={() => go('configure')}>
              {t.wizard.test.correct}
            </Button>
          </Group>
        )}
      </Stack>
    </Panel>
  );
}
