import { ActionIcon, Button, Code, CopyButton, Group, Stack, Text, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { t } from '~/texts';

export function Copy({ value, label }: { value: string; label?: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? t.common.copied : (label ?? t.common.copy)}>
          <ActionIcon
            variant="subtle"
            color={copied ? 'green' : 'gray'}
            onClick={copy}
            aria-label={label ?? t.common.copy}
          >
            {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** Something that the service shows a single time, until `done`. */
export function ShownOnce({ value, hint, done }: { value: string; hint: string; done: () => void }) {
  return (
    <Stack gap="xs">
      <Text size="sm">{hint}</Text>
      <Group wrap="nowrap" gap="xs">
        <Code block className="wrap-anywhere" data-secret tabIndex={0}>
          {value}
        </Code>
        <Copy value={value} />
      </Group>
      <Group justify="flex-end">
        <Button onClick={done}>{t.common.done}</Button>
      </Group>
    </Stack>
  );
}
