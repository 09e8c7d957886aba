import { Button, Group } from '@mantine/core';
import { t } from '~/texts';

/** How a form in a dialog is left: with what it does, or without. */
export function FormButtons({ close, busy, action }: { close: () => void; busy: boolean; action: string }) {
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={close}>
        {t.common.cancel}
      </Button>
      <Button type="submit" loading={busy}>
        {action}
      </Button>
    </Group>
  );
}
