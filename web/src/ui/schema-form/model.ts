// What a JSON Schema says a form needs. Connectors write their schemas with the SDK, which uses a part of the language and some words
// of its own (x-order, x-group, x-descriptions, x-multiline); anything else is still a form: a field for JSON, checked the same.

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  examples?: Json[];
  default?: Json;
  enum?: Json[];
  const?: Json;
  allOf?: Schema[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  $ref?: string;
  $defs?: Record<string, Schema>;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  format?: string;
  writeOnly?: boolean;
  'x-order'?: string[];
  'x-group'?: string;
  'x-descriptions'?: Record<string, string>;
  'x-multiline'?: boolean;
  [other: string]: unknown;
}

export type Kind =
  | 'secret'
  | 'choice'
  | 'switch'
  | 'number'
  | 'integer'
  | 'text'
  | 'lines'
  | 'texts'
  | 'object'
  | 'objects'
  | 'map'
  | 'json';

export interface Field {
  name: string;
  schema: Schema;
  kind: Kind;
  label: string;
  required: boolean;
  group?: string;
}

/** A schema without the wrappings that say nothing more: `$ref` into `$defs`, and `allOf` with one part. */
export function unwrap(schema: Schema, root: Schema, depth = 0): Schema {
  if (depth > 16) return {};
  if (typeof schema.$ref === 'string') {
    const { $ref, ...beside } = schema;
    const found = root.$defs?.[$ref.replace(/^#\/\$defs\//, '')];
    return found ? { ...unwrap(found, root, depth + 1), ...beside } : beside;
  }
  if (schema.allOf?.length === 1 && schema.allOf[0]) {
    const { allOf, ...beside } = schema;
    return { ...unwrap(schema.allOf[0], root, depth + 1), ...beside };
  }
  return schema;
}

function typeOf(schema: Schema): string | undefined {
  const types = [schema.type ?? []].flat().filter(type => type !== 'null');
  return types.length === 1 ? types[0] : undefined;
}

export function kindOf(schema: Schema, root: Schema): Kind {
  if (schema.oneOf || schema.anyOf || schema.allOf) return 'json';
  if (schema.enum?.every(value => typeof value === 'string')) return 'choice';
  switch (typeOf(schema)) {
    case 'string':
      return schema.writeOnly ? 'secret' : schema['x-multiline'] ? 'lines' : 'text';
    case 'boolean':
      return 'switch';
    case 'integer':
      return 'integer';
    case 'number':
      return 'number';
    case 'object':
      if (schema.properties) return 'object';
      return typeof schema.additionalProperties === 'object' && typeOf(schema.additionalProperties) === 'string'
        ? 'map'
        : 'json';
    case 'array': {
      const items = schema.items ? unwrap(schema.items, root) : {};
      if (typeOf(items) === 'string' && !items.writeOnly) return 'texts';
      return typeOf(items) === 'object' && items.properties ? 'objects' : 'json';
    }
    default:
      return 'json';
  }
}

function labelOf(name: string): string {
  const words = name.replaceAll(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The fields of an object, in the order in which its author wants them. */
export function fieldsOf(object: Schema, root: Schema): Field[] {
  const properties = object.properties ?? {};
  const order = object['x-order'] ?? [];
  const names = [
    ...order.filter(name => name in properties),
    ...Object.keys(properties).filter(name => !order.includes(name)),
  ];
  return names.map(name => {
    const schema = unwrap(properties[name] ?? {}, root);
    return {
      name,
      schema,
      kind: kindOf(schema, root),
      label: schema.title ?? labelOf(name),
      required: object.required?.includes(name) ?? false,
      group: schema['x-group'],
    };
  });
}

/** Fields by their group, those without one first. */
export function grouped(fields: Field[]): { group?: string; fields: Field[] }[] {
  const groups = new Map<string | undefined, Field[]>([[undefined, []]]);
  for (const field of fields) groups.set(field.group, [...(groups.get(field.group) ?? []), field]);
  return [...groups].map(([group, of]) => ({ group, fields: of })).filter(({ fields: of }) => of.length > 0);
}

/** A JSON pointer to a member of what another points to. */
export function pointer(base: string, name: string | number): string {
  return `${base}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
