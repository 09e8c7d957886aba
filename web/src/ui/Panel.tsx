import { Group, Paper, Text, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';

/** A part of a page with a heading of its own. */
export function Panel({
  title,
  hint,
  actions,
  children,
  flush,
}: {
  title?: string;
  hint?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** The content reaches to the edge: tables do. */
  flush?: boolean;
}) {
  const id = useId();
  return (
    <Paper withBorder radius="md" component="section" aria-labelledby={title ? id : undefined} className="panel">
      {(title || actions) && (
        <Group justify="space-between" px="md" pt="md" pb={flush ? 'xs' : 0} align="flex-start">
          <div>
            {title && (
              <Title order={2} size="h4" id={id}>
                {title}
              </Title>
            )}
            {hint && (
              <Text size="sm" c="dimmed" component="div">
                {hint}
              </Text>
            )}
          </div>
          {actions && <Group gap="xs">{actions}</Group>}
        </Group>
      )}
      <div className={flush ? 'panel-flush' : 'panel-body'}>{children}</div>
    </Paper>
  );
}
