import { describe, expect, test } from 'vitest';
import { at, fieldsOf, groupsOf, kindOf, problemsOf, put, secretsOf, variantOf } from './schema';

const database = {
  type: 'object',
  additionalProperties: false,
  required: ['host', 'password'],
  'x-order': ['host', 'port', 'password', 'tls', 'login'],
  properties: {
    port: { type: 'integer', default: 5432, minimum: 1, maximum: 65535 },
    host: { type: 'string', title: 'Host', minLength: 1, examples: ['db.example.com'] },
    password: { type: 'string', writeOnly: true },
    tls: { allOf: [{ type: 'string', enum: ['off', 'on'], 'x-descriptions': { on: 'Always.' } }], 'x-group': 'TLS' },
    login: {
      type: 'object',
      oneOf: [
        { properties: { kind: { const: 'none' } } },
        { properties: { kind: { const: 'key' }, key: { type: 'string', writeOnly: true } } },
      ],
    },
  },
};

describe('a form of a schema', () => {
  test('has its fields in the order and the groups that the connector wants', () => {
    const fields = fieldsOf(database);
    expect(fields.map(field => field.name)).toEqual(['host', 'port', 'password', 'tls', 'login']);
    expect(groupsOf(fields).map(group => [group.title, group.fields.length])).toEqual([
      ['', 4],
      ['TLS', 1],
    ]);
    expect(fields.map(field => kindOf(field.schema))).toEqual(['line', 'number', 'secret', 'choice', 'variants']);
  });

  test('knows where secrets are, also in variants', () => {
    expect(secretsOf(database, { password: 'x', login: { kind: 'key', key: 'y' } })).toEqual(['/password', '/login/key']);
    expect(secretsOf(database, { login: { kind: 'none' } })).toEqual([]);
    expect(variantOf(database.properties.login, { kind: 'key' })).toBe(1);
  });

  test('names each problem at its place and asks for no secret that the service has', () => {
    const found = problemsOf(database, { port: 0, tls: 'maybe' });
    expect(Object.keys(found).sort()).toEqual(['/host', '/password', '/port', '/tls']);
    expect(Object.keys(problemsOf(database, { host: 'h' }, ['/password']))).toEqual([]);
  });

  test('changes one place and leaves the rest as it is', () => {
    const before = { a: { 'b/c': 1 }, list: [1, 2] };
    expect(put(before, '/a/b~1c', 2)).toEqual({ a: { 'b/c': 2 }, list: [1, 2] });
    expect(put(before, '/list/1', 9)).toEqual({ a: { 'b/c': 1 }, list: [1, 9] });
    expect(put({ a: 1 }, '/a', undefined)).toEqual({});
    expect(at(before, '/a/b~1c')).toBe(1);
  });
});
