import { Button, Group, Loader, Stack, Text } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { CheckSteps } from '~/features/connections/CheckSteps';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';
import type { StepProps } from '../parts';
import { checkDraft } from '../queries';

/** Connects as a run would. Each step says what was found, and what a person can do about it. */
export function Test({ tenant, id, kept, go, draft }: StepProps) {
  const check = useMutation({
    mutationFn: async () => {
      await kept.flush();
      return checkDraft(tenant, id);
    },
  });
  const { mutate } = check;
  const begun = useRef(false);
  useEffect(() => {
    // Who comes here wants to know; nothing is changed by it.
    if (begun.current) return;
    begun.current = true;
    mutate();
  }, [mutate]);
  const failed = check.error !== null || check.data?.passed === false;
  return (
    <Panel
      title={t.wizard.test.title}
      hint={t.wizard.test.hint}
      actions={
        <Button
          variant="default"
          leftSection={<IconPlugConnected size={16} aria-hidden />}
          loading={check.isPending}
          onClick={() => check.mutate()}
        >
          {t.wizard.test.again}
        </Button>
      }
    >
      <Stack aria-live="polite">
        {check.isPending ? (
          <Group gap="sm" role="status">
            <Loader size="sm" />
            <Text>{t.wizard.test.trying}</Text>
          </Group>
        ) : (
          <>
            {check.error && <ProblemAlert error={check.error} />}
            {check.data && <CheckSteps result={check.data} />}
            {failed && draft.source && (
              <Group>
                <Button variant="default" onClick={() => go('configure')}>
                  {t.wizard.test.correct}
                </Button>
              </Group>
            )}
          </>
        )}
      </Stack>
    </Panel>
  );
}
