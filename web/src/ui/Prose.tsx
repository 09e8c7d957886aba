import { Code } from '@mantine/core';

/** What a connector says of itself: plain text, in which names and values stand between backticks. */
export function Prose({ text }: { text: string }) {
  return text.split('`').map((part, index) =>
    index % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of a sentence have no other name
      <Code key={index}>{part}</Code>
    ) : (
      part
    ),
  );
}
