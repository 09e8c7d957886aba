// Reading a connector's JSON Schema as a form does: which fields there are, in which order and groups, which are secrets, and what is
// wrong with a value. Nothing here is drawn.
import { Validator } from '@cfworker/json-schema';
import { t } from '~/texts';

export type Schema = Record<string, unknown>;
export type Values = Record<string, unknown>;

export interface FormField {
  name: string;
  /** Its place in the configuration, as a JSON pointer. */
  pointer: string;
  schema: Schema;
  required: boolean;
}

export type FieldKind =
  | 'secret'
  | 'choice'
  | 'boolean'
  | 'number'
  | 'text'
  | 'line'
  | 'object'
  | 'variants'
  | 'list'
  | 'map'
  | 'json';

export const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

export const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** A schema with what `allOf` says of it; what stands beside `allOf` says more of the field than of its type. */
export function whole(schema: Schema): Schema {
  const { allOf, ...own } = schema;
  if (!Array.isArray(allOf)) return schema;
  const parts = allOf.filter(isObject).map(whole);
  return Object.assign({}, ...parts, own) as Schema;
}

/** The fields of an object, in the order that the connector wants. */
export function fieldsOf(schema: Schema, pointer = ''): FormField[] {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const order = Array.isArray(schema['x-order']) ? schema['x-order'].filter(name => typeof name === 'string') : [];
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const names = [...new Set([...order, ...Object.keys(properties)])].filter(name => isObject(properties[name]));
  return names.map(name => ({
    name,
    pointer: `${pointer}/${escapePointer(name)}`,
    schema: whole(properties[name] as Schema),
    required: required.has(name),
  }));
}

/** Fields by their groups; those of none come first. Groups come in the order of their first fields. */
export function groupsOf(fields: FormField[]): { title: string; fields: FormField[] }[] {
  const groups = new Map<string, FormField[]>([['', []]]);
  for (const field of fields) {
    const title = text(field.schema['x-group']) ?? '';
    groups.set(title, [...(groups.get(title) ?? []), field]);
  }
  return [...groups].map(([title, of]) => ({ title, fields: of })).filter(group => group.fields.length > 0);
}

export function kindOf(schema: Schema): FieldKind {
  if (schema.writeOnly === true) return 'secret';
  if (Array.isArray(schema.enum)) return 'choice';
  if (Array.isArray(schema.oneOf)) return 'variants';
  const type = Array.isArray(schema.type) ? schema.type.find(one => one !== 'null') : schema.type;
  if (type === 'boolean') return 'boolean';
  if (type === 'integer' || type === 'number') return 'number';
  if (type === 'string') return schema['x-multiline'] === true ? 'text' : 'line';
  if (type === 'array') return isObject(schema.items) ? 'list' : 'json';
  if (type === 'object') return isObject(schema.properties) ? 'object' : isObject(schema.additionalProperties) ? 'map' : 'json';
  return 'json';
}

export const titleOf = (field: FormField): string => text(field.schema.title) ?? field.name;
export const helpOf = (field: FormField): string | undefined => text(field.schema.description);

export function exampleOf(schema: Schema): string | undefined {
  const given = Array.isArray(schema.examples) ? schema.examples[0] : undefined;
  if (given === undefined && schema.default !== undefined && !isObject(schema.default)) return String(schema.default);
  return given === undefined || isObject(given) ? undefined : String(given);
}

/** The variant of a value, told by the member that is constant. */
export function variantOf(schema: Schema, value: unknown): number {
  const variants = variantsOf(schema);
  const found = variants.findIndex(({ tag, name }) => isObject(value) && value[tag] === name);
  return Math.max(found, 0);
}

export function variantsOf(schema: Schema): { tag: string; name: string; title: string; schema: Schema }[] {
  const all = Array.isArray(schema.oneOf) ? schema.oneOf.filter(isObject).map(whole) : [];
  return all.map(one => {
    const properties = isObject(one.properties) ? one.properties : {};
    const tag = Object.keys(properties).find(name => isObject(properties[name]) && 'const' in properties[name]) ?? '';
    const name = String((properties[tag] as Schema | undefined)?.const ?? '');
    return { tag, name, title: text(one.title) ?? name, schema: one };
  });
}

/** The places of secrets in a configuration; only those that have something. */
export function secretsOf(schema: Schema, value: unknown, pointer = ''): string[] {
  const here = whole(schema);
  if (here.writeOnly === true) return value === undefined ? [] : [pointer];
  if (Array.isArray(here.oneOf)) {
    const variant = variantsOf(here)[variantOf(here, value)];
    return variant ? secretsOf(variant.schema, value, pointer) : [];
  }
  if (Array.isArray(value)) {
    return isObject(here.items) ? value.flatMap((item, at) => secretsOf(here.items as Schema, item, `${pointer}/${at}`)) : [];
  }
  if (!isObject(value)) return [];
  return fieldsOf(here, pointer).flatMap(field => secretsOf(field.schema, value[field.name], field.pointer));
}

export function at(value: unknown, pointer: string): unknown {
  let place = value;
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    place = isObject(place) ? place[name] : Array.isArray(place) ? place[Number(name)] : undefined;
  }
  return place;
}

/** A copy with another value in one place; `undefined` takes the member out. */
export function put(value: unknown, pointer: string, next: unknown): unknown {
  const [, step, ...rest] = pointer.split('/');
  if (step === undefined) return next;
  const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
  const below = rest.length > 0 ? `/${rest.join('/')}` : '';
  if (Array.isArray(value)) return value.map((item, index) => (index === Number(name) ? put(item, below, next) : item));
  const members = isObject(value) ? { ...value } : {};
  const changed = put(members[name], below, next);
  if (changed === undefined) delete members[name];
  else members[name] = changed;
  return members;
}

/** What is wrong with a value, by place. `kept` are secrets that the service has and nobody sees. */
export function problemsOf(schema: Schema, value: Values, kept: Iterable<string> = []): Record<string, string> {
  let full: unknown = value;
  const held = new Set<string>();
  for (const pointer of kept) {
    if (at(value, pointer) === undefined) {
      full = put(full, pointer, 'kept');
      held.add(pointer);
    }
  }
  const found: Record<string, string> = {};
  for (const error of new Validator(schema as object, '2020-12', false).validate(full).errors) {
    let pointer = error.instanceLocation.replace(/^#/, '');
    if (error.keyword === 'required') {
      const missing = /property "(.*)"/.exec(error.error)?.[1];
      if (missing !== undefined) pointer += `/${escapePointer(missing)}`;
    } else if (['properties', 'items', 'allOf', 'additionalProperties', '$ref', 'false'].includes(error.keyword)) {
      // These repeat what is said of the place below.
      continue;
    }
    if (!held.has(pointer)) found[pointer] ??= words(error.keyword, schemaAt(schema, pointer), error.error);
  }
  return found;
}

function schemaAt(schema: Schema, pointer: string): Schema {
  let here = whole(schema);
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    const properties = isObject(here.properties) ? here.properties : {};
    const next = properties[name] ?? here.items ?? here.additionalProperties;
    if (!isObject(next)) return {};
    here = whole(next);
  }
  return here;
}

function words(keyword: string, schema: Schema, own: string): string {
  const said = schema[keyword];
  const { rules } = t.wizard.form;
  const rule = rules[keyword];
  return rule ? rule(said === undefined ? '' : String(said)) : own;
}
