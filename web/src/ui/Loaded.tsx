import { Skeleton, Stack } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { t } from '~/texts';
import { ProblemAlert } from './Problem';

export function Waiting({ lines = 4 }: { lines?: number }) {
  return (
    <Stack gap="sm" role="status" aria-label={t.common.loading}>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are all alike
        <Skeleton key={line} height={18} width={`${96 - ((line * 17) % 40)}%`} />
      ))}
    </Stack>
  );
}

/** What a query has brought; until then bars, and the problem if there is one. Old data stays in sight when asking again fails. */
export function Loaded<T>({
  query,
  lines,
  children,
}: {
  query: UseQueryResult<T, Error>;
  lines?: number;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <ProblemAlert error={query.error} retry={() => void query.refetch()} />;
  return <Waiting lines={lines} />;
}
