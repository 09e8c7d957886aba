import { Button, Group, Stack, Text, Title } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { ApiError } from '~/api/problem';
import { t } from '~/texts';
import { ButtonLink } from '~/ui/links';
import { ProblemAlert } from '~/ui/Problem';

/** In place of a page that threw. */
export function Crashed({ error, reset }: ErrorComponentProps) {
  if (error instanceof ApiError && error.kind === 'not-found') return <Missing />;
  return (
    <Stack p="xl" maw={720} mx="auto">
      <Title order={1} size="h2" tabIndex={-1} data-page-title>
        {error instanceof ApiError ? error.problem.title : t.problems.crashed}
      </Title>
      <ProblemAlert error={error} />
      {!(error instanceof ApiError) && <Text>{t.problems.crashedRemedy}</Text>}
      <Group>
        <Button onClick={() => (error instanceof ApiError ? reset() : window.location.reload())}>
          {t.problems.reload}
        </Button>
        <ButtonLink variant="default" to="/">
          {t.problems.home}
        </ButtonLink>
      </Group>
    </Stack>
  );
}

export function Missing() {
  return (
    <Stack p="xl" maw={720} mx="auto">
      <Title order={1} size="h2" tabIndex={-1} data-page-title>
        {t.problems.missing}
      </Title>
      <Text>{t.problems.missingRemedy}</Text>
      <Group>
        <ButtonLink to="/">{t.problems.home}</ButtonLink>
      </Group>
    </Stack>
  );
}
