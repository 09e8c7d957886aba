import {
  ActionIcon,
  Button,
  Collapse,
  Fieldset,
  Group,
  JsonInput,
  NumberInput,
  PasswordInput,
  Select,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconChevronDown, IconChevronRight, IconPlus, IconTrash } from '@tabler/icons-react';
import { createContext, type ReactNode, useContext, useState } from 'react';
import { t } from '~/texts';
import {
  at,
  escapePointer,
  exampleOf,
  type FormField,
  fieldsOf,
  groupsOf,
  helpOf,
  isObject,
  kindOf,
  put,
  type Schema,
  titleOf,
  type Values,
  variantOf,
  variantsOf,
  whole,
} from './schema';

interface Form {
  values: Values;
  change: (pointer: string, value: unknown) => void;
  /** The problem of a place, once somebody has been there. */
  problem: (pointer: string) => string | undefined;
  visit: (pointer: string) => void;
  /** Secrets that the service has. */
  kept: readonly string[];
}

const FormContext = createContext<Form | null>(null);

function useForm(): Form {
  const form = useContext(FormContext);
  if (!form) throw new Error('a field stands outside of its form');
  return form;
}

interface Props {
  schema: Schema;
  values: Values;
  onChange: (values: Values) => void;
  kept: readonly string[];
  /** Problems by place, from the schema. */
  problems: Record<string, string>;
  /** Problems that the service found; shown at once. */
  told?: Record<string, string>;
  /** Shows every problem, also where nobody was yet. */
  all?: boolean;
}

/** A connector's configuration as a form: its fields, groups, help, examples and rules are the connector's own. */
export function SchemaForm({ schema, values, onChange, kept, problems, told = {}, all }: Props) {
  const [visited, setVisited] = useState<ReadonlySet<string>>(new Set());
  const form: Form = {
    values,
    kept,
    change: (pointer, value) => onChange(put(values, pointer, value) as Values),
    problem: pointer => told[pointer] ?? (all || visited.has(pointer) ? problems[pointer] : undefined),
    visit: pointer => setVisited(before => new Set(before).add(pointer)),
  };
  const open = (fields: FormField[]) =>
    fields.some(field => field.required || form.problem(field.pointer) || at(values, field.pointer) !== undefined);
  return (
    <FormContext.Provider value={form}>
      <Stack gap="md">
        {groupsOf(fieldsOf(whole(schema))).map(group =>
          group.title ? (
            <Folded key={group.title} title={group.title} open={open(group.fields)}>
              <Fields fields={group.fields} />
            </Folded>
          ) : (
            <Fields key="" fields={group.fields} />
          ),
        )}
      </Stack>
    </FormContext.Provider>
  );
}

/** A group of fields that most people need not look at. */
function Folded({ title, open, children }: { title: string; open: boolean; children: ReactNode }) {
  const [opened, { toggle }] = useDisclosure(open);
  const Sign = opened ? IconChevronDown : IconChevronRight;
  return (
    <div>
      <Button
        variant="subtle"
        color="gray"
        px="xs"
        onClick={toggle}
        aria-expanded={opened}
        leftSection={<Sign size={16} aria-hidden />}
      >
        {title}
      </Button>
      <Collapse expanded={opened}>
        <div className="form-group">{children}</div>
      </Collapse>
    </div>
  );
}

function Fields({ fields }: { fields: FormField[] }) {
  return (
    <Stack gap="md">
      {fields.map(field => (
        <Field key={field.pointer} field={field} />
      ))}
    </Stack>
  );
}

function Field({ field }: { field: FormField }) {
  const { values, change, problem, visit, kept } = useForm();
  const { schema, pointer } = field;
  const value = at(values, pointer);
  const kind = kindOf(schema);
  const labels = {
    label: titleOf(field),
    description: helpOf(field),
    withAsterisk: field.required && !kept.includes(pointer),
    error: problem(pointer),
    onBlur: () => visit(pointer),
    'data-pointer': pointer,
  };
  const typed = (next: string) => change(pointer, next === '' ? undefined : next);
  const words = typeof value === 'string' ? value : '';
  switch (kind) {
    case 'secret': {
      const isKept = kept.includes(pointer) && value === undefined;
      const placeholder = isKept ? t.wizard.form.kept : undefined;
      const shared = { ...labels, value: words, placeholder };
      return schema['x-multiline'] === true ? (
        <Textarea
          {...shared}
          autosize
          minRows={2}
          maxRows={8}
          autoComplete="off"
          onChange={event => typed(event.currentTarget.value)}
        />
      ) : (
        <PasswordInput
          {...shared}
          autoComplete="new-password"
          visibilityToggleButtonProps={{ 'aria-label': t.wizard.form.show }}
          onChange={event => typed(event.currentTarget.value)}
        />
      );
    }
    case 'choice': {
      const meanings = isObject(schema['x-descriptions']) ? schema['x-descriptions'] : {};
      const choices = (schema.enum as unknown[]).map(String);
      const chosen = value === undefined ? String(schema.default ?? '') : String(value);
      const meaning = meanings[chosen];
      return (
        <Select
          {...labels}
          data={choices}
          value={chosen || null}
          allowDeselect={!field.required}
          onChange={next => change(pointer, next === null || next === schema.default ? undefined : next)}
          description={[labels.description, typeof meaning === 'string' ? `${chosen}: ${meaning}` : '']
            .filter(Boolean)
            .join(' ')}
        />
      );
    }
    case 'boolean':
      return (
        <Switch
          label={labels.label}
          description={labels.description}
          error={labels.error}
          checked={(value ?? schema.default) === true}
          onChange={event => change(pointer, event.currentTarget.checked)}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...labels}
          value={typeof value === 'number' || typeof value === 'string' ? value : ''}
          placeholder={exampleOf(schema)}
          allowDecimal={schema.type !== 'integer'}
          min={typeof schema.minimum === 'number' ? schema.minimum : undefined}
          max={typeof schema.maximum === 'number' ? schema.maximum : undefined}
          clampBehavior="none"
          hideControls
          onChange={next => change(pointer, next === '' ? undefined : next)}
        />
      );
    case 'text':
      return (
        <Textarea
          {...labels}
          value={words}
          placeholder={exampleOf(schema)}
          autosize
          minRows={3}
          maxRows={10}
          ff="monospace"
          onChange={event => typed(event.currentTarget.value)}
        />
      );
    case 'line':
      return (
        <TextInput
          {...labels}
          value={words}
          placeholder={exampleOf(schema)}
          autoComplete="off"
          spellCheck={false}
          onChange={event => typed(event.currentTarget.value)}
        />
      );
    case 'object':
      return (
        <Folded title={labels.label} open={field.required || value !== undefined}>
          {labels.description && (
            <Text size="sm" c="dimmed" mb="sm">
              {labels.description}
            </Text>
          )}
          <Fields fields={fieldsOf(schema, pointer)} />
        </Folded>
      );
    case 'variants':
      return <Variants field={field} value={value} />;
    case 'list':
      return <List field={field} value={Array.isArray(value) ? value : []} />;
    case 'map':
    case 'json':
      return <Json field={field} value={value} />;
  }
}

function Variants({ field, value }: { field: FormField; value: unknown }) {
  const { change } = useForm();
  const variants = variantsOf(field.schema);
  const chosen = variants[variantOf(field.schema, value)];
  const others = chosen ? fieldsOf(chosen.schema, field.pointer).filter(one => one.name !== chosen.tag) : [];
  return (
    <Fieldset legend={titleOf(field)}>
      <Stack>
        <Select
          aria-label={titleOf(field)}
          description={helpOf(field)}
          data={variants.map(variant => ({ value: variant.name, label: variant.title }))}
          value={value === undefined ? null : (chosen?.name ?? null)}
          onChange={next => {
            const variant = variants.find(one => one.name === next);
            change(field.pointer, variant ? { [variant.tag]: variant.name } : undefined);
          }}
          clearable={!field.required}
        />
        {value !== undefined && <Fields fields={others} />}
      </Stack>
    </Fieldset>
  );
}

function List({ field, value }: { field: FormField; value: unknown[] }) {
  const { change } = useForm();
  const item = whole(field.schema.items as Schema);
  const empty = kindOf(item) === 'object' ? {} : '';
  return (
    <Fieldset legend={titleOf(field)}>
      <Stack>
        {helpOf(field) && (
          <Text size="sm" c="dimmed">
            {helpOf(field)}
          </Text>
        )}
        {value.map((_, index) => {
          const pointer = `${field.pointer}/${index}`;
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: an item is its place, as in the configuration
            <Group key={index} align="flex-start" wrap="nowrap">
              <div className="form-item">
                {kindOf(item) === 'object' ? (
                  <Fields fields={fieldsOf(item, pointer)} />
                ) : (
                  <Field field={{ name: `${titleOf(field)} ${index + 1}`, pointer, schema: item, required: true }} />
                )}
              </div>
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t.wizard.form.removeItem(titleOf(field), index + 1)}
                onClick={() => {
                  const rest = value.filter((_, other) => other !== index);
                  change(field.pointer, rest.length > 0 ? rest : undefined);
                }}
              >
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            </Group>
          );
        })}
        <Group>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => change(field.pointer, [...value, empty])}
          >
            {t.wizard.form.add}
          </Button>
        </Group>
      </Stack>
    </Fieldset>
  );
}

/** What no other field can show, as JSON. */
function Json({ field, value }: { field: FormField; value: unknown }) {
  const { change, problem, visit } = useForm();
  const [typed, type] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  const [wrong, setWrong] = useState(false);
  return (
    <JsonInput
      label={titleOf(field)}
      description={helpOf(field)}
      error={wrong ? t.wizard.form.noJson : problem(field.pointer)}
      value={typed}
      autosize
      minRows={2}
      maxRows={12}
      data-pointer={field.pointer}
      onBlur={() => visit(field.pointer)}
      onChange={next => {
        type(next);
        try {
          change(field.pointer, next.trim() === '' ? undefined : JSON.parse(next));
          setWrong(false);
        } catch {
          setWrong(true);
        }
      }}
    />
  );
}

/** The place of a member, for callers that name fields. */
export const member = (name: string): string => `/${escapePointer(name)}`;
