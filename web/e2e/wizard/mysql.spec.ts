// A table of MySQL, into BigQuery.
import { bigquery, unused } from '../servers/bigquery';
import { mysql } from '../servers/mysql';
import { setting } from '../servers/setting';
import { expect, test } from '../test';
import { Walk } from './walk';

test('a table of MySQL is set up, and its rows arrive in BigQuery as they are', async ({ page, root }) => {
  mysql(`CREATE DATABASE IF NOT EXISTS wizard; DROP TABLE IF EXISTS wizard.orders;
    CREATE TABLE wizard.orders (id BIGINT PRIMARY KEY, customer VARCHAR(40), amount DECIMAL(12,2), placed DATETIME(6));
    INSERT INTO wizard.orders VALUES (1, 'Ada 名前', 10.50, '2026-11-01 08:00:00.25'), (2, NULL, -3.20, NULL)`);
  const walk = await Walk.begin(page, root);
  await walk.choose('MySQL');
  await walk.fill({
    Host: setting('MYSQL_HOST'),
    Port: setting('MYSQL_PORT'),
    Database: 'wizard',
    User: setting('MYSQL_USER'),
    Password: setting('MYSQL_PASSWORD'),
  });
  await walk.reachPrivateAddresses();
  await walk.seen('mysql');
  await walk.passTheTest();
  await walk.pick('wizard.orders');
  const dataset = unused('wizard_mysql');
  await walk.loadIntoBigquery(dataset);
  await walk.seen('sink-bigquery');
  await walk.createAndRun('Orders of MySQL');
  const rows = await bigquery(
    `SELECT id, customer, CAST(amount * 100 AS INT64), FORMAT_DATETIME('%F %H:%M:%E3S', placed)
     FROM ${dataset}.wizard_orders ORDER BY id`,
  );
  expect(rows).toEqual([
    ['1', 'Ada 名前', '1050', '2026-11-01 08:00:00.250'],
    ['2', null, '-320', null],
  ]);
});
