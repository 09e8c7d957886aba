import { describe, expect, test } from 'vitest';
import type { Schema } from './model';
import { at, isOffered, put, secretsOf, without } from './secrets';
import { validate } from './validate';

const schema: Schema = {
  type: 'object',
  properties: {
    host: { type: 'string' },
    password: { type: 'string', writeOnly: true },
    login: {
      type: 'object',
      oneOf: [
        { properties: { kind: { const: 'none' } } },
        { properties: { kind: { const: 'key' }, key: { type: 'string', writeOnly: true } } },
      ],
    },
    keys: { type: 'array', items: { type: 'object', properties: { key: { type: 'string', writeOnly: true } } } },
  },
};

describe('secrets', () => {
  test('are found on every level, also in alternatives and lists', () => {
    const value = { host: 'h', password: 'x', login: { kind: 'key', key: 'y' }, keys: [{}, { key: 'z' }] };
    expect(secretsOf(schema, value)).toEqual(['/password', '/login/key', '/keys/1/key']);
    expect(secretsOf(schema, { host: 'h' })).toEqual([]);
  });

  test('are taken out, and the rest stays as it is', () => {
    const value = { a: { 'b/c': 1, d: 2 }, list: [1, 2] };
    expect(without(value, '/a/b~1c')).toEqual({ a: { d: 2 }, list: [1, 2] });
    expect(without(value, '/list/0')).toEqual({ a: { 'b/c': 1, d: 2 }, list: [null, 2] });
    expect(at(value, '/a/b~1c')).toBe(1);
    expect(at(value, '/x/y')).toBeUndefined();
  });
});

describe('secrets that are kept elsewhere', () => {
  const reference = { reference: 'projects/p/secrets/acme-db/versions/latest' };

  test('one that is referred to counts as given, also in a list', () => {
    const needed: Schema = {
      ...schema,
      required: ['password'],
      properties: {
        ...schema.properties,
        keys: {
          type: 'array',
          items: { type: 'object', required: ['key'], properties: { key: { type: 'string', writeOnly: true } } },
        },
      },
    };
    expect(validate(needed, { password: reference, keys: [{ key: reference }] } as never)).toEqual({});
    expect(Object.keys(validate(needed, { password: 7, keys: [{}] }))).toEqual(['/password', '/keys/0/key']);
    expect(put({ keys: [{ key: 1 }] }, '/keys/0/key', 2)).toEqual({ keys: [{ key: 2 }] });
  });

  test('only a version of what is offered may be referred to', () => {
    const offers = ['projects/p/secrets/acme-*', 'projects/q/secrets/own'];
    expect(isOffered(reference.reference, offers)).toBe(true);
    expect(isOffered('projects/q/secrets/own/versions/3', offers)).toBe(true);
    for (const other of ['projects/q/secrets/own', 'projects/q/secrets/owner/versions/1', 'own', '']) {
      expect(isOffered(other, offers), other).toBe(false);
    }
  });
});
