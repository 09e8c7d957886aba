import { Fieldset, NumberInput, Select, Switch, TagsInput, Text, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { t } from '~/texts';
import { Prose } from '../Prose';
import { Entries, Objects } from './Many';
import type { Field, Json } from './model';
import { type FormContext, ObjectFields } from './SchemaForm';
import { Secret } from './Secret';

export interface ControlProps {
  field: Field;
  value: Json | undefined;
  change: (value: Json | undefined) => void;
  at: string;
  context: FormContext;
}

/** One field of a form, by its kind. */
export function Control(props: ControlProps) {
  const { field, value, change, at, context } = props;
  const { schema } = field;
  const example = schema.examples?.find(each => typeof each === 'string');
  const common = {
    label: field.label,
    description: schema.description && <Prose text={schema.description} />,
    required: field.required,
    withAsterisk: field.required,
    error: context.errors[at],
    disabled: context.disabled,
    'data-field': at,
  };
  switch (field.kind) {
    case 'secret':
      return <Secret {...props} />;
    case 'switch':
      return (
        <Switch
          {...common}
          required={undefined}
          checked={typeof value === 'boolean' ? value : schema.default === true}
          onChange={event => change(event.currentTarget.checked)}
        />
      );
    case 'choice':
      return <Choice {...props} common={common} />;
    case 'integer':
    case 'number':
      return (
        <NumberInput
          {...common}
          value={typeof value === 'number' ? value : ''}
          placeholder={typeof schema.default === 'number' ? String(schema.default) : undefined}
          allowDecimal={field.kind === 'number'}
          onChange={next => change(typeof next === 'number' ? next : undefined)}
          hideControls
          maw={260}
        />
      );
    case 'texts':
      return (
        <TagsInput
          {...common}
          value={Array.isArray(value) ? value.map(String) : []}
          placeholder={example ? t.schemaForm.example(String(example)) : undefined}
          onChange={next => change(next.length > 0 ? next : undefined)}
          acceptValueOnBlur
        />
      );
    case 'lines':
    case 'text': {
      const Input = field.kind === 'lines' ? Textarea : TextInput;
      return (
        <Input
          {...common}
          {...(field.kind === 'lines' ? { autosize: true, minRows: 3, maxRows: 12 } : {})}
          value={typeof value === 'string' ? value : ''}
          placeholder={typeof schema.default === 'string' ? schema.default : example ? String(example) : undefined}
          onChange={(event: React.ChangeEvent<HTMLInputElement & HTMLTextAreaElement>) =>
            change(event.currentTarget.value === '' ? undefined : event.currentTarget.value)
          }
          spellCheck={false}
          autoComplete="off"
        />
      );
    }
    case 'object':
      return (
        <Fieldset legend={field.label}>
          <Text size="sm" c="dimmed" mb="sm">
            <Prose text={schema.description ?? ''} />
          </Text>
          <ObjectFields
            schema={schema}
            value={isObject(value) ? value : {}}
            change={next => change(Object.keys(next).length > 0 ? next : undefined)}
            at={at}
            context={context}
          />
        </Fieldset>
      );
    case 'objects':
      return <Objects {...props} />;
    case 'map':
      return <Entries {...props} />;
    default:
      return <AsJson {...props} common={common} />;
  }
}

export function isObject(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function Choice({ field, value, change, common }: ControlProps & { common: object }) {
  const { schema } = field;
  const chosen = typeof value === 'string' ? value : null;
  const meant = chosen ?? (typeof schema.default === 'string' ? schema.default : undefined);
  const says = meant === undefined ? undefined : schema['x-descriptions']?.[meant];
  return (
    <Select
      {...common}
      data={schema.enum?.map(String) ?? []}
      value={chosen}
      onChange={next => change(next ?? undefined)}
      clearable={!field.required}
      placeholder={typeof schema.default === 'string' ? t.schemaForm.defaultIs(schema.default) : undefined}
      inputWrapperOrder={['label', 'description', 'input', 'error']}
      description={
        <>
          <Prose text={schema.description ?? ''} />
          {says && (
            <>
              {' '}
              <b>{meant}</b>: {says}
            </>
          )}
        </>
      }
      renderOption={({ option }) => (
        <div>
          <div>{option.value}</div>
          {schema['x-descriptions']?.[option.value] && (
            <Text size="xs" c="dimmed">
              {schema['x-descriptions'][option.value]}
            </Text>
          )}
        </div>
      )}
    />
  );
}

function AsJson({ value, change, common }: ControlProps & { common: { error?: string } }) {
  const [text, setText] = useState(() => (value === undefined ? '' : JSON.stringify(value, null, 2)));
  const [broken, setBroken] = useState(false);
  const edit = (next: string) => {
    setText(next);
    try {
      change(next.trim() === '' ? undefined : (JSON.parse(next) as Json));
      setBroken(false);
    } catch {
      setBroken(true);
    }
  };
  return (
    <Textarea
      {...common}
      error={broken ? t.schemaForm.notJson : common.error}
      value={text}
      onChange={event => edit(event.currentTarget.value)}
      autosize
      minRows={3}
      maxRows={20}
      ff="monospace"
      spellCheck={false}
    />
  );
}
