import { describe, expect, test } from 'vitest';
import type { Schema } from '~/ui/schema-form/model';
import { at, secretsOf, without } from './secrets';

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
