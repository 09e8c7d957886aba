// A query and a table of BigQuery, into a local warehouse.
import { bigquery, makeDataset, unused } from '../servers/bigquery';
import { loaded } from '../servers/parquet';
import { setting } from '../servers/setting';
import { expect, test } from '../test';
import { Walk } from './walk';

test('a table of BigQuery is set up, and its rows arrive in a warehouse as they are', async ({ page, root, world }) => {
  const dataset = unused('wizard_source');
  await makeDataset(dataset);
  await bigquery(`CREATE TABLE ${dataset}.questions AS
    SELECT 1 AS id, 'How?' AS title, NUMERIC '1.25' AS score UNION ALL SELECT 2, 'ä 🛒', NULL`);
  const walk = await Walk.begin(page, root);
  await walk.choose('BigQuery');
  await walk.fill({ 'Billing project': setting('BIGQUERY_PROJECT') });
  await walk.fill(
    { 'REST endpoint': setting('BIGQUERY_REST'), 'Storage endpoint': setting('BIGQUERY_GRPC') },
    'Endpoints',
  );
  await walk.reachPrivateAddresses();
  await walk.seen('bigquery');
  await walk.passTheTest();
  await walk.pick(`${dataset}.questions`);
  await walk.loadIntoWarehouse('questions');
  await walk.createAndRun('Questions of BigQuery');
  const table = world.service.table(world.tenant, 'questions', `${dataset}_questions`);
  expect(loaded(table, 'SELECT id, title, score::VARCHAR FROM rows ORDER BY id')).toEqual([
    [1, 'How?', '1.250000000'],
    [2, 'ä 🛒', null],
  ]);
});
