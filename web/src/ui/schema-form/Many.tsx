import { ActionIcon, Button, Fieldset, Group, Input, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { t } from '~/texts';
import { Prose } from '../Prose';
import type { ControlProps } from './Control';
import { type Json, pointer, unwrap } from './model';
import { ObjectFields } from './SchemaForm';

/** A list of objects, each with a form of its own. */
export function Objects({ field, value, change, at, context }: ControlProps) {
  const items = (Array.isArray(value) ? value : []) as Record<string, Json>[];
  const schema = unwrap(field.schema.items ?? {}, context.root);
  const set = (next: Json[]) => change(next.length > 0 ? next : undefined);
  return (
    <Fieldset legend={field.label}>
      <Stack>
        <Text size="sm" c="dimmed">
          <Prose text={field.schema.description ?? ''} />
        </Text>
        {context.errors[at] && <Input.Error>{context.errors[at]}</Input.Error>}
        {items.map((item, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: items have no other name, and are only added at the end
          <Fieldset key={index} legend={t.schemaForm.item(field.label, index + 1)}>
            <ObjectFields
              schema={schema}
              value={item ?? {}}
              change={next => set(items.map((each, i) => (i === index ? next : each)))}
              at={pointer(at, index)}
              context={context}
            />
            <Button
              mt="sm"
              size="compact-sm"
              variant="subtle"
              color="red"
              disabled={context.disabled}
              leftSection={<IconTrash size={14} aria-hidden />}
              onClick={() => set(items.filter((_, i) => i !== index))}
            >
              {t.schemaForm.removeItem(field.label, index + 1)}
            </Button>
          </Fieldset>
        ))}
        <Add label={field.label} disabled={context.disabled} add={() => set([...items, {}])} />
      </Stack>
    </Fieldset>
  );
}

/** Named texts. */
export function Entries({ field, value, change, at, context }: ControlProps) {
  const entries = Object.entries((value ?? {}) as Record<string, string>);
  const set = (next: [string, string][]) => change(next.length > 0 ? Object.fromEntries(next) : undefined);
  const replace = (index: number, entry: [string, string]) =>
    set(entries.map((each, i) => (i === index ? entry : each)));
  return (
    <Fieldset legend={field.label}>
      <Stack>
        <Text size="sm" c="dimmed">
          <Prose text={field.schema.description ?? ''} />
        </Text>
        {context.errors[at] && <Input.Error>{context.errors[at]}</Input.Error>}
        {entries.map(([name, text], index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the name is what is being typed
          <Group key={index} wrap="nowrap" align="flex-end">
            <TextInput
              label={t.schemaForm.entryName}
              value={name}
              onChange={event => replace(index, [event.currentTarget.value, text])}
              disabled={context.disabled}
              flex={1}
            />
            <TextInput
              label={t.schemaForm.entryValue}
              value={text}
              onChange={event => replace(index, [name, event.currentTarget.value])}
              error={context.errors[pointer(at, name)]}
              disabled={context.disabled}
              flex={3}
            />
            <ActionIcon
              variant="subtle"
              color="red"
              size="lg"
              disabled={context.disabled}
              aria-label={t.schemaForm.removeItem(field.label, index + 1)}
              onClick={() => set(entries.filter((_, i) => i !== index))}
            >
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </Group>
        ))}
        <Add
          label={field.label}
          disabled={context.disabled || entries.some(([name]) => name === '')}
          add={() => set([...entries, ['', '']])}
        />
      </Stack>
    </Fieldset>
  );
}

function Add({ label, add, disabled }: { label: string; add: () => void; disabled?: boolean }) {
  return (
    <Group>
      <Button
        variant="default"
        size="xs"
        leftSection={<IconPlus size={14} aria-hidden />}
        onClick={add}
        disabled={disabled}
      >
        {t.schemaForm.addTo(label)}
      </Button>
    </Group>
  );
}
