import { expect, test } from 'vitest';
import { fieldsOf, grouped, type Schema } from './model';
import { pointerOf, validate } from './validate';

const SCHEMA: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['host', 'password'],
  'x-order': ['host', 'port', 'password', 'tls'],
  properties: {
    tls: { allOf: [{ type: 'string', enum: ['never', 'always'] }], 'x-group': 'TLS', default: 'always' },
    port: { type: 'integer', minimum: 1, maximum: 65535 },
    password: { type: 'string', writeOnly: true },
    host: { type: 'string', title: 'Host' },
    odd: { oneOf: [{ type: 'string' }, { type: 'number' }] },
    queries: { type: 'object', additionalProperties: { type: 'string' } },
    streams: { type: 'array', items: { type: 'object', properties: { glob: { type: 'string' } }, required: ['glob'] } },
  },
};

test('fields come in the order of their author, each of a kind', () => {
  expect(fieldsOf(SCHEMA, SCHEMA).map(field => [field.name, field.kind])).toEqual([
    ['host', 'text'],
    ['port', 'integer'],
    ['password', 'secret'],
    ['tls', 'choice'],
    ['odd', 'json'],
    ['queries', 'map'],
    ['streams', 'objects'],
  ]);
  expect(grouped(fieldsOf(SCHEMA, SCHEMA)).map(({ group }) => group)).toEqual([undefined, 'TLS']);
});

test('what is wrong stands at its field', () => {
  expect(validate(SCHEMA, { port: 70000, tls: 'perhaps', streams: [{}] })).toEqual({
    '/host': 'This is needed.',
    '/password': 'This is needed.',
    '/port': 'At most 65,535.',
    '/tls': 'Choose one of the values.',
    '/streams/0/glob': 'This is needed.',
  });
});

test('a secret that the service has is not missed', () => {
  expect(validate(SCHEMA, { host: 'db' }, ['/password'])).toEqual({});
});

test("the service's own words are put at the field that they name", () => {
  expect([pointerOf('/config/host'), pointerOf('name'), pointerOf(undefined)]).toEqual(['/host', undefined, undefined]);
});
