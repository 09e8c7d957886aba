// The wizard from nothing to rows in a table, for a database, a granted folder and a bucket; and what it says when a source refuses.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page, shown, test } from './test';

/** A worker has to be started, and connectors to be loaded: on a busy machine that takes its time. */
const SLOW = { timeout: 90_000 };

test.describe.configure({ timeout: 300_000 });

test.beforeEach(async ({ page, root }) => {
  await page.goto(`${root}/new`);
  await page.getByRole('button', { name: 'Set up a pipeline' }).first().click();
});

function setting(name: string): string {
  const value = process.env[`SLUICE_TEST_${name}`];
  if (!value)
    throw new Error(`SLUICE_TEST_${name} is not set: run \`cargo xtask test\`, or \`cargo xtask services up\``);
  return value;
}

/** Runs SQL on the test server, as its superuser. */
function sql(text: string): void {
  const env = {
    ...process.env,
    PGHOST: setting('POSTGRES_HOST'),
    PGPORT: setting('POSTGRES_PORT'),
    PGUSER: setting('POSTGRES_USER'),
    PGPASSWORD: setting('POSTGRES_PASSWORD'),
    PGDATABASE: setting('POSTGRES_DATABASE'),
  };
  execFileSync('psql', ['-v', 'ON_ERROR_STOP=1', '-q', '-c', text], { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

async function seen(page: Page, name: string): Promise<void> {
  await page.evaluate(() => window.scrollTo(0, 0));
  await shown(page, `wizard-${name}`);
}

async function next(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Next:/ }).click();
}

async function intoWarehouse(page: Page, path: string): Promise<void> {
  await page.getByRole('radio', { name: 'Local warehouse' }).click();
  await page.getByLabel(/^Folder/).fill(path);
}

async function createAndRun(page: Page, name: string): Promise<void> {
  await page.getByLabel(/^Name of the pipeline/).fill(name);
  await expect(page.getByText(/^Table /).first()).toBeVisible(SLOW);
  await page.getByRole('button', { name: 'Create and run now' }).click();
  await page.waitForURL(/\/runs\//, SLOW);
  await expect(page.getByText('Succeeded').first()).toBeVisible(SLOW);
}

test('a table of PostgreSQL is set up, previewed, scheduled, and loaded', async ({ page }) => {
  sql(`DROP TABLE IF EXISTS public.wizard_orders; CREATE TABLE public.wizard_orders (
    id bigint PRIMARY KEY, "order no" text, amount numeric(10,3), updated_at timestamptz NOT NULL DEFAULT now());
    INSERT INTO public.wizard_orders SELECT n, lpad(n::text, 4, '0'), n * 1.125 FROM generate_series(1, 60) n`);
  await expect(page.getByRole('button', { name: /PostgreSQL by / })).toBeVisible(SLOW);
  await seen(page, '01-source');
  await page.getByRole('button', { name: /PostgreSQL by / }).click();
  await next(page);
  await expect(page.getByText('Some fields still need something')).toBeVisible();
  await page.getByLabel(/^Host/).fill(setting('POSTGRES_HOST'));
  await page.getByLabel(/^Port/).fill(setting('POSTGRES_PORT'));
  await page.getByLabel(/^Database/).fill(setting('POSTGRES_DATABASE'));
  await page.getByLabel(/^User/).fill(setting('POSTGRES_USER'));
  await page.getByRole('textbox', { name: /^Password/ }).fill(setting('POSTGRES_PASSWORD'));
  await page.getByLabel('Reach private addresses').check({ force: true });
  await expect(page.getByText('Kept as a draft')).toBeVisible(SLOW);
  await seen(page, '02-connection');

  // A reload loses nothing, and brings no secret back.
  await page.reload();
  await expect(page.getByLabel(/^Host/)).toHaveValue(setting('POSTGRES_HOST'));
  expect(await page.content()).not.toContain(setting('POSTGRES_PASSWORD'));
  await next(page);
  await expect(page.getByText('Everything a run needs works.')).toBeVisible(SLOW);
  await seen(page, '03-test');

  await next(page);
  await page.getByLabel('Search by name').fill('wizard_');
  await page.getByRole('checkbox', { name: /wizard_orders/ }).check();
  await expect(page.getByText('1 stream chosen')).toBeVisible();
  await seen(page, '04-streams');

  await next(page);
  await expect(page.getByRole('textbox', { name: 'Name of order no in the table' })).toHaveAttribute(
    'placeholder',
    'order_no',
  );
  await page.getByRole('combobox', { name: 'Type of order no in the table' }).click();
  await page.getByRole('option', { name: 'INT64' }).click();
  await page.getByRole('textbox', { name: 'Name of amount in the table' }).fill('net_amount');
  await page.getByRole('button', { name: 'Show rows' }).click();
  await expect(page.getByText('50 would be changed')).toBeVisible(SLOW);
  await expect(page.getByRole('columnheader', { name: /net_amount/ })).toBeVisible();
  await seen(page, '05-columns');

  await next(page);
  await intoWarehouse(page, 'shop');
  await seen(page, '06-tables');
  await next(page);
  await seen(page, '07-where');
  await next(page);
  await page.getByLabel('every day', { exact: true }).check();
  await expect(page.getByText(/every day at 03:00/)).toBeVisible(SLOW);
  await seen(page, '08-schedule');
  await next(page);
  await page.getByRole('button', { name: 'E-mail' }).click();
  await page.getByRole('combobox', { name: 'Addresses' }).fill('data@example.com');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Unique' }).click();
  await seen(page, '09-watch');
  await next(page);
  await expect(page.getByText(/^Table main\.public_wizard_orders/)).toBeVisible(SLOW);
  await seen(page, '10-review');

  // Back and forward go through the steps.
  await page.goBack();
  await expect(page.getByText('data@example.com')).toBeVisible();
  await page.goForward();
  await createAndRun(page, 'Orders');
  await seen(page, '11-first-run');
});

test('files of a folder that the operator offers are loaded', async ({ page }) => {
  await page
    .getByRole('button', { name: /^Files|Files by/ })
    .first()
    .click();
  await page.getByRole('combobox', { name: 'Folder /data' }).click();
  await page.getByRole('option', { name: 'samples' }).click();
  await next(page);
  await expect(page.getByText('Everything a run needs works.')).toBeVisible(SLOW);
  await next(page);
  await page.getByRole('checkbox').first().check();
  await next(page);
  await page.getByRole('button', { name: 'Show rows' }).click();
  await expect(page.getByText('every value fits')).toBeVisible(SLOW);
  await next(page);
  await intoWarehouse(page, 'lake');
  await page.getByRole('radio', { name: 'Catalog' }).click();
  await seen(page, '12-catalog');
  for (let step = 0; step < 4; step++) await next(page);
  await createAndRun(page, 'Files');
});

test('objects of a bucket are loaded, also without estimates of their rows', async ({ page }) => {
  const bucket = join(setting('S3_ROOT'), 'wizard');
  mkdirSync(bucket, { recursive: true });
  writeFileSync(join(bucket, 'people.csv'), 'id,name\n1,Ada\n2,名前\n');
  await page.getByRole('button', { name: /Amazon S3/ }).click();
  await page.getByLabel(/^Bucket/).fill('wizard');
  await page.getByRole('button', { name: 'Access', exact: true }).click();
  await page.getByLabel(/^Access key id/).fill(setting('S3_ACCESS_KEY'));
  await page.getByRole('textbox', { name: /^Secret access key/ }).fill(setting('S3_SECRET_KEY'));
  await page.getByRole('button', { name: 'Endpoint', exact: true }).click();
  await page.getByRole('textbox', { name: /^Endpoint/ }).fill(setting('S3_ENDPOINT'));
  await page.getByLabel('Reach private addresses').check({ force: true });
  await next(page);
  await expect(page.getByText('Everything a run needs works.')).toBeVisible(SLOW);
  await next(page);
  await page.getByRole('checkbox', { name: /people/ }).check();
  await seen(page, '14-objects');
  await next(page);
  await next(page);
  await intoWarehouse(page, 'bucket');
  for (let step = 0; step < 4; step++) await next(page);
  await createAndRun(page, 'Bucket');
});

test('a source that refuses says why, and what to do', async ({ page }) => {
  await page.getByRole('button', { name: /PostgreSQL by / }).click();
  await page.getByLabel(/^Host/).fill(setting('POSTGRES_HOST'));
  await page.getByLabel(/^Port/).fill(setting('POSTGRES_PORT'));
  await page.getByLabel(/^Database/).fill('no_such_database');
  await page.getByLabel(/^User/).fill(setting('POSTGRES_USER'));
  await page.getByRole('textbox', { name: /^Password/ }).fill(setting('POSTGRES_PASSWORD'));
  await page.getByLabel('Reach private addresses').check({ force: true });
  await next(page);
  await expect(page.getByText('A step failed.')).toBeVisible(SLOW);
  await seen(page, '13-refused');
  await page.getByRole('button', { name: 'Change the connection' }).click();
  await expect(page.getByLabel(/^Database/)).toHaveValue('no_such_database');
});
