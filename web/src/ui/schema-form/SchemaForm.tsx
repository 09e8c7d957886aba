import { Accordion, Stack } from '@mantine/core';
import { useState } from 'react';
import { Control } from './Control';
import { type Field, fieldsOf, grouped, type Json, pointer, type Schema } from './model';
import type { Errors } from './validate';

export interface FormContext {
  root: Schema;
  errors: Errors;
  /** Pointers to the secrets that the service has. */
  stored: readonly string[];
  /** Where a secret is kept elsewhere, by pointer. */
  references: Record<string, string>;
  /** Secrets that may be referred to instead of being typed: `projects/P/secrets/S`, with `*` for any ending. */
  offered: readonly string[];
  disabled?: boolean;
}

interface Props {
  schema: Schema;
  value: Record<string, Json>;
  change: (value: Record<string, Json>) => void;
  errors: Errors;
  stored?: readonly string[];
  references?: Record<string, string>;
  offered?: readonly string[];
  disabled?: boolean;
}

/** A form of a JSON Schema: a connector's configuration. A secret that is left alone is left out of the value; one to remove is null. */
export function SchemaForm(props: Props) {
  const { schema, value, change, errors, stored = [], references = {}, offered = [], disabled } = props;
  return (
    <ObjectFields
      schema={schema}
      value={value}
      change={change}
      at=""
      context={{ root: schema, errors, stored, references, offered, disabled }}
    />
  );
}

export interface ObjectProps {
  schema: Schema;
  value: Record<string, Json>;
  change: (value: Record<string, Json>) => void;
  at: string;
  context: FormContext;
}

export function ObjectFields({ schema, value, change, at, context }: ObjectProps) {
  const groups = grouped(fieldsOf(schema, context.root));
  // What is set is seen, as is what has to be.
  const isSet = ({ name }: Field) => value[name] !== undefined || context.stored.includes(pointer(at, name));
  const [opened, setOpened] = useState<string[]>(() =>
    groups.filter(({ fields }) => fields.some(field => field.required || isSet(field))).map(({ group }) => group ?? ''),
  );
  const wrong = groups
    .filter(({ fields }) => fields.some(field => under(context.errors, pointer(at, field.name))))
    .map(({ group }) => group ?? '');
  const set = (name: string, next: Json | undefined) => {
    const { [name]: _, ...rest } = value;
    change(next === undefined ? rest : { ...rest, [name]: next });
  };
  const control = (field: Field) => (
    <Control
      key={field.name}
      field={field}
      value={value[field.name]}
      change={next => set(field.name, next)}
      at={pointer(at, field.name)}
      context={context}
    />
  );
  return (
    <Stack>
      {groups.filter(({ group }) => group === undefined).flatMap(({ fields }) => fields.map(control))}
      {groups.some(({ group }) => group !== undefined) && (
        <Accordion
          multiple
          variant="contained"
          value={[...new Set([...opened, ...wrong])]}
          onChange={setOpened}
          order={3}
        >
          {groups
            .filter(({ group }) => group !== undefined)
            .map(({ group, fields }) => (
              <Accordion.Item key={group} value={group ?? ''}>
                <Accordion.Control>{group}</Accordion.Control>
                <Accordion.Panel>
                  <Stack>{fields.map(control)}</Stack>
                </Accordion.Panel>
              </Accordion.Item>
            ))}
        </Accordion>
      )}
    </Stack>
  );
}

function under(errors: Errors, at: string): boolean {
  return Object.keys(errors).some(each => each === at || each.startsWith(`${at}/`));
}
