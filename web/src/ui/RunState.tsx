import { Badge } from '@mantine/core';
import {
  type Icon,
  IconBan,
  IconCircleCheck,
  IconCircleX,
  IconClockHour4,
  IconPlayerSkipForward,
  IconPlayerStop,
  IconProgress,
} from '@tabler/icons-react';
import { t } from '~/texts';

const LOOKS: Record<string, { color: string; icon: Icon }> = {
  queued: { color: 'gray', icon: IconClockHour4 },
  running: { color: 'blue', icon: IconProgress },
  succeeded: { color: 'green', icon: IconCircleCheck },
  failed: { color: 'red', icon: IconCircleX },
  stopped: { color: 'orange', icon: IconPlayerStop },
  cancelled: { color: 'gray', icon: IconBan },
  skipped: { color: 'gray', icon: IconPlayerSkipForward },
};

/** A run's state: never by colour alone. */
export function RunState({ state, size }: { state: string; size?: 'sm' | 'md' | 'lg' }) {
  const look = LOOKS[state] ?? { color: 'gray', icon: IconClockHour4 };
  return (
    <Badge
      color={look.color}
      variant="light"
      size={size ?? 'md'}
      leftSection={<look.icon size={13} aria-hidden />}
      className="state-badge"
      tt="none"
    >
      {t.runs.states[state] ?? state}
    </Badge>
  );
}

export function isFinal(state: string): boolean {
  return state !== 'queued' && state !== 'running';
}
