// Checks a configuration against its connector's schema while somebody types. The validator interprets the schema: those that
// compile it to code need `unsafe-eval`, which the pages' policy refuses.
import { Validator } from '@cfworker/json-schema';
import { number } from '~/format';
import { t } from '~/texts';
import { type Json, pointer, type Schema } from './model';
import { at, isReference, put, secretsOf } from './secrets';

export type Errors = Record<string, string>;

interface OutputUnit {
  keyword: string;
  instanceLocation: string;
  keywordLocation: string;
  error: string;
}

/** What is wrong, by JSON pointer. A secret that the service has counts as given, as does one that is only referred to. */
export function validate(schema: Schema, value: Json, stored: readonly string[] = []): Errors {
  const validator = new Validator(schema as never, '2020-12', false);
  const places = secretsOf(schema, value).filter(place => isReference(at(value, place)));
  const read = places.reduce((so, place) => put(so, place, ' ') as Json, value);
  const given = stored.reduce((so, place) => fill(so, place.split('/').slice(1)), read);
  const errors: Errors = {};
  for (const unit of validator.validate(given).errors as OutputUnit[]) {
    const found = wordsOf(unit, schema);
    if (found && !(found.at in errors)) errors[found.at] = found.text;
  }
  return errors;
}

/** A stand-in for a secret, so that it is not missed. */
function fill(value: Json, path: string[]): Json {
  const [name, ...rest] = path;
  if (name === undefined) return value ?? ' ';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (rest.length > 0 && value[name] === undefined) return value;
  return { ...value, [name]: value[name] === undefined ? ' ' : fill(value[name] as Json, rest) };
}

const CONTAINERS = ['properties', 'items', 'allOf', 'anyOf', 'oneOf', '$ref', 'additionalProperties', 'prefixItems'];

function wordsOf(unit: OutputUnit, root: Schema): { at: string; text: string } | undefined {
  const at = unit.instanceLocation.replace(/^#/, '');
  const words = t.schemaForm;
  const limit = limitOf(unit, root);
  switch (unit.keyword) {
    case 'required': {
      const name = /"([^"]*)"\.?$/.exec(unit.error)?.[1];
      return name === undefined ? undefined : { at: pointer(at, name), text: words.missing };
    }
    case 'minimum':
      return { at, text: typeof limit === 'number' ? words.atLeast(number(limit)) : unit.error };
    case 'maximum':
      return { at, text: typeof limit === 'number' ? words.atMost(number(limit)) : unit.error };
    case 'enum':
      return { at, text: words.choose };
    case 'type':
      return { at, text: typeof limit === 'string' ? words.type(limit) : unit.error };
    default:
      return CONTAINERS.includes(unit.keyword) ? undefined : { at, text: unit.error };
  }
}

/** What the keyword says in the schema. */
function limitOf(unit: OutputUnit, root: Schema): unknown {
  let here: unknown = root;
  for (const part of unit.keywordLocation.replace(/^#\/?/, '').split('/')) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return here;
}

/** Where the service's problem about a configuration belongs: it names `/config/…`. */
export function pointerOf(field: string | undefined): string | undefined {
  return field?.startsWith('/config') ? field.slice('/config'.length) : undefined;
}
