// Files in the three object stores and in a granted folder.
import { bigquery, unused } from '../servers/bigquery';
import { intoAzure, intoGcs, intoS3 } from '../servers/objects';
import { loaded } from '../servers/parquet';
import { setting } from '../servers/setting';
import { expect, test } from '../test';
import { SLOW, Walk } from './walk';

const PEOPLE = 'id,name\n1,Ada\n2,名前\n';
const ROWS = [
  [1, 'Ada'],
  [2, '名前'],
];

test('objects of Amazon S3 are loaded, also without estimates of their rows', async ({ page, root, world }) => {
  intoS3('wizard', 'people.csv', PEOPLE);
  const walk = await Walk.begin(page, root);
  await walk.choose('Amazon S3');
  await walk.fill({ Bucket: 'wizard' });
  await walk.fill(
    { 'Access key id': setting('S3_ACCESS_KEY'), 'Secret access key': setting('S3_SECRET_KEY') },
    'Access',
  );
  await walk.fill({ Endpoint: setting('S3_ENDPOINT') }, 'Endpoint');
  await walk.reachPrivateAddresses();
  await walk.passTheTest();
  await walk.pick('people');
  await walk.seen('14-objects');
  await walk.loadIntoWarehouse('s3');
  await walk.createAndRun('People of S3');
  expect(loaded(world.service.table(world.tenant, 's3', 'people'), 'SELECT id, name FROM rows ORDER BY id')).toEqual(
    ROWS,
  );
});

test('objects of Google Cloud Storage are loaded into BigQuery', async ({ page, root }) => {
  await intoGcs('wizard', 'people.csv', PEOPLE);
  const walk = await Walk.begin(page, root);
  await walk.choose('Google Cloud Storage');
  await walk.fill({ Bucket: 'wizard' });
  await walk.fill({ Endpoint: setting('GCS_ENDPOINT') }, 'Endpoint');
  await walk.reachPrivateAddresses();
  await walk.seen('gcs');
  await walk.passTheTest();
  await walk.pick('people');
  const dataset = unused('wizard_gcs');
  await walk.loadIntoBigquery(dataset);
  await walk.createAndRun('People of Cloud Storage');
  expect(await bigquery(`SELECT id, name FROM ${dataset}.people ORDER BY id`)).toEqual([
    ['1', 'Ada'],
    ['2', '名前'],
  ]);
});

test('blobs of Azure are loaded, and the account’s key does not come back', async ({ page, root, world }) => {
  await intoAzure('wizard', 'people.csv', PEOPLE);
  const walk = await Walk.begin(page, root);
  await walk.choose('Azure Blob Storage');
  await walk.fill({ Account: setting('AZURE_ACCOUNT'), Container: 'wizard' });
  await walk.fill({ 'Account key': setting('AZURE_KEY') }, 'Access');
  await walk.fill({ Endpoint: setting('AZURE_ENDPOINT') }, 'Endpoint');
  await page.getByLabel('Path style').check({ force: true });
  await walk.reachPrivateAddresses();
  await walk.seen('azure');
  await walk.passTheTest();
  await page.goBack();
  await page.reload();
  await expect(page.getByText('Stored. It is never shown.')).toBeVisible(SLOW);
  expect(await page.content()).not.toContain(setting('AZURE_KEY'));
  await walk.passTheTest();
  await walk.pick('people');
  await walk.loadIntoWarehouse('azure');
  await walk.createAndRun('People of Azure');
  expect(loaded(world.service.table(world.tenant, 'azure', 'people'), 'SELECT id, name FROM rows ORDER BY id')).toEqual(
    ROWS,
  );
});

test('files of a folder that the operator offers are loaded', async ({ page, root, world }) => {
  const walk = await Walk.begin(page, root);
  await walk.choose('Files');
  await page.getByRole('combobox', { name: 'Folder /data' }).click();
  await page.getByRole('option', { name: 'samples' }).click();
  await walk.passTheTest();
  await walk.pick('weather');
  await walk.next();
  await page.getByRole('button', { name: 'Show rows' }).click();
  await expect(page.getByText('every value fits')).toBeVisible(SLOW);
  await walk.next();
  await page.getByRole('radio', { name: 'Local warehouse' }).click();
  await walk.fill({ Folder: 'lake' });
  await page.getByRole('radio', { name: 'Catalog' }).click();
  await walk.seen('12-catalog');
  await walk.createAndRun('Files');
  const [[count, days]] = loaded(
    world.service.table(world.tenant, 'lake', 'weather'),
    'SELECT count(*), count(DISTINCT snapshot_date) FROM rows',
  ) as [[number, number]];
  expect(count).toBeGreaterThan(0);
  expect(days).toBe(1);
});
