import { Alert, Code, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ErrorView } from '~/api/schema.gen';
import { t } from '~/texts';

/** Why an attempt or a stream failed, who has to act, and whether trying again can help. */
export function RunProblem({
  error,
  final,
  children,
}: {
  error: ErrorView;
  final: boolean;
  /** Where it can be put right. */
  children?: ReactNode;
}) {
  return (
    <Alert color={final ? 'red' : 'yellow'} icon={<IconAlertTriangle aria-hidden />} title={t.runs.error}>
      <Stack gap={6}>
        <Text size="sm" className="wrap-anywhere" lineClamp={12}>
          {error.message}
        </Text>
        {(error.stream || error.field) && (
          <Text size="sm" component="div" className="wrap-anywhere">
            {error.stream && (
              <>
                {t.problems.stream}: <Code>{error.stream}</Code>{' '}
              </>
            )}
            {error.field && (
              <>
                {t.problems.field}: <Code>{error.field}</Code>
              </>
            )}
          </Text>
        )}
        <Text size="sm">
          {t.runs.actor[error.actor]} {error.retryable ? t.runs.retryable : t.runs.notRetryable}
        </Text>
        {children}
      </Stack>
    </Alert>
  );
}
