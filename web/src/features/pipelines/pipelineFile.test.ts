import { expect, test } from 'vitest';
import { connectorOf } from './pipelineFile';

test('the connector of a file is found however it is written', () => {
  expect(connectorOf('name: shop\nsource:\n  connector: postgres\n  config: {}\n')).toBe('postgres');
  expect(connectorOf('source:\n  "connector": "my-api"\n')).toBe('my-api');
  expect(connectorOf('source: {connector: files, config: {}}\n')).toBe('files');
  expect(connectorOf('name: connector of mine\n')).toBeUndefined();
});
