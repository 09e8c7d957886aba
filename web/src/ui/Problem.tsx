import { Alert, Button, Code, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconPlugConnectedX } from '@tabler/icons-react';
import { ApiError } from '~/api/problem';
import { t } from '~/texts';

/** What a problem says, and what to do about it, as plain text: for notifications. */
export function wordsOf(error: unknown): { title: string; detail: string; remedy?: string } {
  if (!(error instanceof ApiError)) {
    return { title: t.problems.crashed, detail: error instanceof Error ? error.message : String(error) };
  }
  const title = t.problems.titles[error.kind] ?? error.problem.title;
  const remedy = error.retryAfter ? t.problems.waitSeconds(error.retryAfter) : t.problems.remedies[error.kind];
  // What a browser calls it when nobody answers tells nobody anything.
  const detail = error.problem.status === 0 ? title : error.problem.detail;
  return { title, detail, remedy };
}

/** A problem in the place of what could not be shown, or above a form that could not be sent. */
export function ProblemAlert({ error, retry, compact }: { error: unknown; retry?: () => void; compact?: boolean }) {
  const { title, detail, remedy } = wordsOf(error);
  const passing = error instanceof ApiError && error.passes;
  const field = error instanceof ApiError ? error.problem.field : undefined;
  const stream = error instanceof ApiError ? error.problem.stream : undefined;
  return (
    <Alert
      color={passing ? 'yellow' : 'red'}
      icon={passing ? <IconPlugConnectedX aria-hidden /> : <IconAlertTriangle aria-hidden />}
      title={title}
      role="alert"
      variant="light"
      p={compact ? 'xs' : undefined}
    >
      <Stack gap="xs">
        {detail && detail !== title && (
          <Text size="sm" className="wrap-anywhere">
            {detail}
          </Text>
        )}
        {(field || stream) && (
          <Text size="sm" component="div" className="wrap-anywhere">
            {field && (
              <>
                {t.problems.field}: <Code>{field}</Code>{' '}
              </>
            )}
            {stream && (
              <>
                {t.problems.stream}: <Code>{stream}</Code>
              </>
            )}
          </Text>
        )}
        {remedy && <Text size="sm">{remedy}</Text>}
        {retry && (
          <Group>
            <Button size="xs" variant="default" onClick={retry}>
              {t.common.retry}
            </Button>
          </Group>
        )}
      </Stack>
    </Alert>
  );
}
