import { Text, type TextProps } from '@mantine/core';
import type { ReactNode } from 'react';

/**
 * A name that people or sources have given: of any length, script and direction. `<bdi>` keeps a right-to-left name from turning
 * round what stands beside it; what does not fit is cut and shown in full by the browser's own tooltip.
 */
export function Name({ children, lines, ...rest }: { children: string; lines?: number } & TextProps) {
  return (
    <Text
      span
      truncate={lines ? undefined : 'end'}
      lineClamp={lines}
      title={children}
      className={lines ? undefined : 'name'}
      {...rest}
    >
      <bdi>{children}</bdi>
    </Text>
  );
}

/** The same within running text. */
export function Bdi({ children }: { children: ReactNode }) {
  return <bdi>{children}</bdi>;
}
