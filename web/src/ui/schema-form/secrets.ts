// Where secrets stand in a configuration, and places in it.
import { fieldsOf, pointer, type Schema, unwrap } from './model';

export type Values = Record<string, unknown>;

export const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A secret that Google Secret Manager keeps, as a configuration says where. */
export interface Reference {
  reference: string;
}

export const isReference = (value: unknown): value is Reference =>
  isObject(value) && Object.keys(value).length === 1 && typeof value.reference === 'string';

const REFERENCE = /^projects\/[^/\s]+\/secrets\/[^/\s]+\/versions\/[^/\s]+$/;

/** Whether a text names a version of a secret that is offered; an offer that ends with `*` is of every secret that begins so. */
export function isOffered(reference: string, offers: readonly string[]): boolean {
  if (!REFERENCE.test(reference)) return false;
  const secret = reference.replace(/\/versions\/[^/]+$/, '');
  return offers.some(offer => (offer.endsWith('*') ? secret.startsWith(offer.slice(0, -1)) : secret === offer));
}

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

/** A copy with something else in a place that there is. */
export function put(value: unknown, place: string, by: unknown): unknown {
  const [, step, ...rest] = place.split('/');
  if (step === undefined) return by;
  const below = rest.map(each => `/${each}`).join('');
  if (Array.isArray(value)) return value.map((item, index) => (index === Number(step) ? put(item, below, by) : item));
  if (!isObject(value)) return value;
  return { ...value, [named(step)]: put(value[named(step)], below, by) };
}
