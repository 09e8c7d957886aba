import { Button, Group, Loader, Stack, Text, Timeline } from '@mantine/core';
import { IconCheck, IconDots, IconX } from '@tabler/icons-react';
import { duration } from '~/format';
import { t } from '~/texts';
import { ProblemAlert } from '~/ui/Problem';
import { useNow } from '~/ui/Time';
import { CheckSteps } from './CheckSteps';
import { isOver, type Tries, type Trying } from './trying';

/** How a try of a connection goes and what came of it; one that takes long shows that it goes on, and can be ended. */
export function TryingPanel({ tries: { trying, begin, cancel } }: { tries: Tries }) {
  if (!trying) return null;
  const { result, error, cancelled } = trying;
  return (
    <Stack aria-live="polite">
      {!isOver(trying) && <UnderWay trying={trying} cancel={cancel} />}
      {cancelled && <Text role="status">{t.connections.trying.cancelled}</Text>}
      {error !== undefined && !cancelled && <ProblemAlert error={error} retry={begin} />}
      {result && !cancelled && <CheckSteps result={result} />}
    </Stack>
  );
}

const PHASES = ['asked', 'loading', 'begun'] as const;

function UnderWay({ trying, cancel }: { trying: Trying; cancel: () => void }) {
  const words = t.connections.trying;
  const at = PHASES.indexOf(trying.phase);
  return (
    <Stack>
      <Group justify="space-between">
        <Group gap="sm">
          <Loader size="sm" aria-hidden />
          <Elapsed since={trying.since} />
        </Group>
        <Button variant="default" size="xs" leftSection={<IconX size={14} aria-hidden />} onClick={cancel}>
          {t.common.cancel}
        </Button>
      </Group>
      <Timeline bulletSize={24} lineWidth={2} active={at + trying.hosts.length}>
        {PHASES.slice(0, at + 1).map((phase, index) => (
          <Timeline.Item
            key={phase}
            title={words.phases[phase]}
            bullet={index < at ? <IconCheck size={14} aria-hidden /> : <IconDots size={14} aria-hidden />}
          />
        ))}
        {trying.hosts.map(host => (
          <Timeline.Item key={host} title={words.reaching(host)} bullet={<IconDots size={14} aria-hidden />} />
        ))}
      </Timeline>
      <Text size="sm" c="dimmed">
        {words.together}
      </Text>
    </Stack>
  );
}

/** Nothing that readers of the screen are told every second. */
function Elapsed({ since }: { since: number }) {
  const now = useNow(1_000);
  return (
    <Text size="sm" c="dimmed" className="numbers" aria-hidden>
      {duration(Math.max(0, Math.floor((now - since) / 1_000)) * 1_000)}
    </Text>
  );
}
