import { describe, expect, test } from 'vitest';
import type { StreamView } from '~/api/schema.gen';
import { blockedAt, bodyOf, type Draft, stepsOf, suggested, typedSecrets, withColumns, withLoad } from './draft';

const schema = {
  type: 'object',
  properties: { host: { type: 'string' }, password: { type: 'string', writeOnly: true } },
};

const draft = (change: Partial<Draft> = {}): Draft => ({
  name: '',
  step: 'source',
  source: { connector: 'postgres', name: 'Shop', config: { host: 'db', password: 'hunter2' }, grants: {} },
  definition: { streams: [] },
  enabled: true,
  ...change,
});

const stream = (change: Partial<StreamView>): StreamView => ({
  id: 'public.orders',
  kind: 'table',
  columns: [],
  primary_key: [],
  cursor_candidates: [],
  rows: null,
  bytes: null,
  description: null,
  ...change,
});

describe('a draft', () => {
  test('sends a secret once, and again when it changes', () => {
    const typed = draft();
    expect((bodyOf(typed, schema, {}).source as { config: unknown }).config).toEqual({
      host: 'db',
      password: 'hunter2',
    });
    const sent = typedSecrets(typed, schema);
    expect((bodyOf(typed, schema, sent).source as { config: unknown }).config).toEqual({ host: 'db' });
    const other = draft({ source: { ...typed.source, config: { password: 'x' } } as Draft['source'] });
    expect((bodyOf(other, schema, sent).source as { config: unknown }).config).toEqual({ password: 'x' });
  });

  test('goes no further than to the first step that says too little', () => {
    expect(blockedAt('review', draft({ source: undefined }), { wrong: 0 })).toBe('source');
    expect(blockedAt('streams', draft(), { wrong: 1 })).toBe('configure');
    expect(blockedAt('map', draft(), { wrong: 0 })).toBe('streams');
    const placed = draft({ definition: { streams: [{ id: 'a' }], sink: { type: 'local', path: 'shop' } } });
    expect(blockedAt('review', placed, { wrong: 0 })).toBeUndefined();
  });

  test('of a connection that is there has nothing to configure', () => {
    expect(stepsOf(draft({ connection: 'c', source: undefined }))).not.toContain('configure');
    expect(stepsOf(draft())).toContain('configure');
  });
});

describe('a stream', () => {
  test('is read from where the last run ended where the source offers a column for it', () => {
    expect(suggested(stream({ cursor_candidates: ['updated_at', 'id'] }), true).read).toEqual({
      incremental: 'updated_at',
    });
    expect(suggested(stream({ kind: 'files' }), true).read).toEqual({ incremental: '' });
    expect(suggested(stream({}), true).read).toBeUndefined();
    expect(suggested(stream({ cursor_candidates: ['updated_at'] }), false).read).toBeUndefined();
  });

  test('of a catalog is read whole and has no partition of its own', () => {
    const before = { id: 'a', read: { incremental: 'x' }, partition: { column: 'x' } };
    expect(withLoad(before, 'catalog')).toEqual({ id: 'a', load: 'catalog', read: undefined });
  });

  test('that loads every column names none, and forgets what it said of columns that it drops', () => {
    const all = ['id', 'name', 'amount'];
    const before = { id: 'a', rename: { name: 'n' }, cast: { amount: { to: 'NUMERIC' } } };
    const dropped = withColumns(before, ['amount', 'id'], all);
    expect(dropped.columns).toEqual(['id', 'amount']);
    expect([dropped.rename, dropped.cast]).toEqual([undefined, { amount: { to: 'NUMERIC' } }]);
    expect(withColumns(dropped, all, all).columns).toBeUndefined();
  });
});
