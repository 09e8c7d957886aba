import { Text, type TextProps, Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { ago, minute, moment } from '~/format';

/** A clock for everything that says how long ago something was, so that a page full of them has one timer. */
const listeners = new Set<(now: number) => void>();
let timer: ReturnType<typeof setInterval> | undefined;

export function useNow(everyMs = 15_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (everyMs < 15_000) {
      const own = setInterval(() => setNow(Date.now()), everyMs);
      return () => clearInterval(own);
    }
    listeners.add(setNow);
    timer ??= setInterval(() => {
      const at = Date.now();
      for (const tell of listeners) tell(at);
    }, 15_000);
    return () => {
      listeners.delete(setNow);
      if (listeners.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, [everyMs]);
  return now;
}

/** A moment as its distance from now; the moment itself on hover and focus. */
export function Ago({ at, ...rest }: { at: string } & TextProps) {
  const now = useNow();
  return (
    <Tooltip label={moment(at)}>
      <Text span inherit {...rest}>
        <time dateTime={at}>{ago(at, now)}</time>
      </Text>
    </Tooltip>
  );
}

export function At({ at, ...rest }: { at: string } & TextProps) {
  return (
    <Text span inherit title={moment(at)} {...rest}>
      <time dateTime={at}>{minute(at)}</time>
    </Text>
  );
}
