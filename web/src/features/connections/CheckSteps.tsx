import { Alert, Stack, Text, Timeline } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconMinus, IconX } from '@tabler/icons-react';
import type { CheckView } from '~/api/schema.gen';
import { t } from '~/texts';

const LOOKS: Record<string, { color: string; icon: typeof IconCheck }> = {
  passed: { color: 'green', icon: IconCheck },

  warned: { color: 'yellow', icon: IconAlertTriangle },
  failed: { color: 'red', icon: IconX },
};

const WENT_ON = ['passed', 'warned'];

/** What each step of a check found, with cause and remedy where one failed; `bare` leaves out what it comes to. */
export function CheckSteps({ result, bare }: { result: CheckView; bare?: boolean }) {
  const active = result.steps.findIndex(step => !WENT_ON.includes(step.outcome));
  return (
    <Stack role="status">
      {!bare && (
        <Alert color={result.passed ? 'green' : 'red'}>
          {result.passed ? t.connections.passed : t.connections.failed}
        </Alert>
      )}
      <Timeline bulletSize={24} lineWidth={2} active={active < 0 ? result.steps.length : active}>
        {result.steps.map(step => {
          const look = LOOKS[step.outcome] ?? { color: 'gray', icon: IconMinus };
          return (
            <Timeline.Item
              key={step.name}
              color={look.color}
              bullet={<look.icon size={14} aria-hidden />}
              title={`${step.name} · ${t.connections.outcomes[step.outcome] ?? step.outcome}`}
            >
              {step.detail && step.outcome !== 'skipped' && (
                <Text size="sm" c="dimmed" className="wrap-anywhere">
                  {step.detail}
                </Text>
              )}
              {step.remedy && (
                <Text size="sm" mt={4} className="wrap-anywhere">
                  {step.remedy}
                </Text>
              )}
            </Timeline.Item>
          );
        })}
      </Timeline>
    </Stack>
  );
}
