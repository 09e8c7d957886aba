import { Code, Text } from '@mantine/core';
import type { CursorView } from '~/api/schema.gen';
import { t } from '~/texts';

/** A connector's own position in a stream, as text if it is one. */
export function Cursor({ cursor }: { cursor?: CursorView | null }) {
  if (!cursor)
    return (
      <Text span size="sm" c="dimmed">
        {t.state.none}
      </Text>
    );
  return (
    <Code className="wrap-anywhere" title={cursor.base64}>
      <bdi>{cursor.text ?? `${t.state.binary}: ${cursor.base64.slice(0, 40)}`}</bdi>
    </Code>
  );
}
