// Where secrets stand in a configuration, and places in it.
import type { Schema } from '~/ui/schema-form/model';
import { fieldsOf, pointer, unwrap } from '~/ui/schema-form/model';

export type Values = Record<string, unknown>;

export const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const named = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');

/** The places of the secrets that were typed, as JSON pointers. */
export function secretsOf(schema: Schema, value: unknown, root = schema, at = ''): string[] {
  const here = unwrap(schema, root);
  if (here.writeOnly) return value === undefined ? [] : [at];
  if (Array.isArray(value)) {
    return here.items
      ? value.flatMap((item, index) => secretsOf(here.items as Schema, item, root, pointer(at, index)))
      : [];
  }
  if (!isObject(value)) return [];
  const own = fieldsOf(here, root).flatMap(({ name, schema: of }) =>
    secretsOf(of, value[name], root, pointer(at, name)),
  );
  const variants = [...(here.oneOf ?? []), ...(here.anyOf ?? []), ...(here.allOf ?? [])];
  return [...new Set([...own, ...variants.flatMap(variant => secretsOf(variant, value, root, at))])];
}

export function at(value: unknown, place: string): unknown {
  let here = value;
  for (const step of place.split('/').slice(1)) {
    here = isObject(here) ? here[named(step)] : Array.isArray(here) ? here[Number(step)] : undefined;
  }
  return here;
}

/** A copy without what is in one place; in a list null is left there, so that the others keep theirs. */
export function without(value: unknown, place: string): unknown {
  const [, step, ...rest] = place.split('/');
  if (step === undefined) return value;
  const below = rest.length > 0 ? `/${rest.join('/')}` : '';
  if (Array.isArray(value)) {
    return value.map((item, index) => (index !== Number(step) ? item : below ? without(item, below) : null));
  }
  if (!isObject(value)) return value;
  const { [named(step)]: inner, ...others } = value;
  return below ? { ...others, [named(step)]: without(inner, below) } : others;
}
