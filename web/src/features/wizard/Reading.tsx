import { Button, Group, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { number } from '~/format';
import { t } from '~/texts';
import { Panel } from '~/ui/Panel';
import { cursorOf, type Stream } from './draft';
import { changeStream, changeStreams, type StepProps } from './parts';

const CHANGED = ['append', 'tail', 'replace', 'ignore', 'fail'];

/** What else can be said of how a stream is read, where the connector can do anything of it. */
export function Reading({ draft, kept, can, seen }: StepProps) {
  const { streams } = draft.definition;
  const [wanted, want] = useState<string>();
  const stream = streams.find(one => one.id === wanted) ?? streams[0];
  if (!stream || !(can.filter || can.changedFiles)) return null;
  const words = t.wizard.reading;
  const isIncremental = (one: Stream) => cursorOf(one) !== undefined;
  const files = can.changedFiles && isIncremental(stream) && seen.get(stream.id)?.kind !== 'query';
  const changed = typeof stream.changed_files === 'string' ? stream.changed_files : 'append';
  const set = (part: Partial<Stream>) => changeStream(kept, stream.id, before => ({ ...before, ...part }));
  const toAll = () =>
    changeStreams(kept, all =>
      all.map(one => (isIncremental(one) ? { ...one, changed_files: stream.changed_files } : one)),
    );
  return (
    <Panel title={words.title} hint={words.hint}>
      <Stack>
        {streams.length > 1 && (
          <Select
            label={words.stream(number(streams.length))}
            data={streams.map(one => one.id)}
            value={stream.id}
            onChange={id => id && want(id)}
            searchable
            allowDeselect={false}
            limit={200}
            maw={480}
          />
        )}
        {can.filter && (
          <TextInput
            label={words.filter}
            description={words.filterHint}
            value={stream.filter ?? ''}
            onChange={event => set({ filter: event.currentTarget.value || undefined })}
            spellCheck={false}
            classNames={{ input: 'code-input' }}
            dir="ltr"
          />
        )}
        {files && (
          <Group align="flex-end">
            <Select
              label={words.changed}
              description={words.changedHints[changed]}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              data={CHANGED.map(value => ({ value, label: words.changes[value] ?? value }))}
              value={changed}
              allowDeselect={false}
              onChange={value => set({ changed_files: value === 'append' ? undefined : (value ?? undefined) })}
              w={360}
              maw="100%"
            />
            {streams.length > 1 && (
              <Button variant="default" onClick={toAll}>
                {words.toAll}
              </Button>
            )}
          </Group>
        )}
      </Stack>
    </Panel>
  );
}
