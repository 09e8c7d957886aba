import { Alert, Button, Group, Loader, Stack, Text, ThemeIcon, Timeline } from '@mantine/core';
import {
  type Icon,
  IconAlertTriangle,
  IconCheck,
  IconPlayerSkipForward,
  IconPlugConnected,
  IconX,
} from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import { ProblemAlert } from '~/ui/Problem';
import type { StepProps } from '../parts';
import { checkDraft } from '../queries';

const LOOKS: Record<string, { color: string; icon: Icon }> = {
  passed: { color: 'green', icon: IconCheck },
  warned: { color: 'yellow', icon: IconAlertTriangle },
  failed: { color: 'red', icon: IconX },
  skipped: { color: 'gray', icon: IconPlayerSkipForward },
};

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
        {check.isPending && (
          <Group gap="sm" role="status">
            <Loader size="sm" />
            <Text>{t.wizard.test.trying}</Text>
          </Group>
        )}
        {check.error && !check.isPending && (
          <>
            <ProblemAlert error={check.error} />
            {draft.source && (
              <Group>
                <Button variant="default" onClick={() => go('configure')}>
                  {t.wizard.test.correct}
                </Button>
              </Group>
            )}
          </>
        )}
        {check.data && !check.isPending && (
          <>
            <Alert
              color={check.data.passed ? 'green' : 'red'}
              variant="light"
              icon={check.data.passed ? <IconCheck aria-hidden /> : <IconX aria-hidden />}
              title={check.data.passed ? t.wizard.test.passed : t.wizard.test.failed}
            >
              {check.data.passed ? t.wizard.test.passedHint : t.wizard.test.failedHint}
            </Alert>
            <Timeline bulletSize={28} lineWidth={2} active={check.data.steps.length}>
              {check.data.steps.map(step => {
                const look = LOOKS[step.outcome] ?? LOOKS.skipped;
                const Sign = look?.icon ?? IconCheck;
                return (
                  <Timeline.Item
                    key={step.name}
                    bullet={
                      <ThemeIcon size={28} radius="xl" color={look?.color} aria-hidden>
                        <Sign size={16} />
                      </ThemeIcon>
                    }
                    title={
                      <>
                        {step.name}{' '}
                        <Text span size="sm" c="dimmed">
                          {t.wizard.test.outcomes[step.outcome] ?? step.outcome}
                        </Text>
                      </>
                    }
                  >
                    <Text size="sm" className="wrap-anywhere">
                      {step.detail}
                    </Text>
                    {step.remedy && (
                      <Text size="sm" mt={4} fw={500} className="wrap-anywhere">
                        {t.wizard.test.remedy(step.remedy)}
                      </Text>
                    )}
                  </Timeline.Item>
                );
              })}
            </Timeline>
            {!check.data.passed && draft.source && (
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
