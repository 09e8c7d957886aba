import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { t } from '~/texts';

interface Props {
  opened: boolean;
  close: () => void;
  title: string;
  /** What will happen, and what will not. */
  children: ReactNode;
  action: string;
  confirm: () => void;
  busy?: boolean;
  danger?: boolean;
  /** Has to be typed before it can be confirmed, for what cannot be taken back. */
  word?: string;
}

export function Confirm({ opened, close, title, children, action, confirm, busy, danger, word }: Props) {
  const [typed, setTyped] = useState('');
  return (
    <Modal opened={opened} onClose={close} title={title} onExitTransitionEnd={() => setTyped('')}>
      <form
        onSubmit={event => {
          event.preventDefault();
          if (!word || typed.trim() === word) confirm();
        }}
      >
        <Stack>
          <Text size="sm" component="div">
            {children}
          </Text>
          {word && (
            <TextInput
              label={t.common.typeToConfirm(word)}
              value={typed}
              onChange={event => setTyped(event.currentTarget.value)}
              autoComplete="off"
              data-autofocus
            />
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t.common.cancel}
            </Button>
            <Button
              type="submit"
              color={danger ? 'red' : undefined}
              loading={busy}
              disabled={word !== undefined && typed.trim() !== word}
            >
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
