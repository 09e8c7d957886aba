// The wizard with everything that it offers, for a table of PostgreSQL; and what it says when a source refuses.
import { loaded } from '../servers/parquet';
import { postgres } from '../servers/postgres';
import { setting } from '../servers/setting';
import { expect, test } from '../test';
import { SLOW, Walk } from './walk';

test.describe.configure({ timeout: 300_000 });

const CONNECTION = () => ({
  Host: setting('POSTGRES_HOST'),
  Port: setting('POSTGRES_PORT'),
  Database: setting('POSTGRES_DATABASE'),
  User: setting('POSTGRES_USER'),
  Password: setting('POSTGRES_PASSWORD'),
});

test('a table of PostgreSQL is set up, previewed, scheduled, and loaded', async ({ page, root, world }) => {
  postgres(`DROP TABLE IF EXISTS public.wizard_orders; CREATE TABLE public.wizard_orders (
    id bigint PRIMARY KEY, "order no" text, amount numeric(10,3), updated_at timestamptz NOT NULL DEFAULT now());
    INSERT INTO public.wizard_orders SELECT n, lpad(n::text, 4, '0'), n * 1.125 FROM generate_series(1, 60) n`);
  const walk = await Walk.begin(page, root);
  await expect(page.getByRole('button', { name: /^PostgreSQL by / })).toBeVisible(SLOW);
  await walk.seen('01-source');
  await walk.choose('PostgreSQL');
  await walk.next();
  await expect(page.getByText('Some fields still need something')).toBeVisible();
  await walk.fill(CONNECTION());
  await walk.reachPrivateAddresses();
  await expect(page.getByText('Kept as a draft')).toBeVisible(SLOW);
  await walk.seen('02-connection');

  // A reload loses nothing, and brings no secret back.
  await page.reload();
  await expect(page.getByLabel(/^Host/)).toHaveValue(setting('POSTGRES_HOST'));
  expect(await page.content()).not.toContain(setting('POSTGRES_PASSWORD'));
  await walk.passTheTest();
  await walk.seen('03-test');

  await walk.pick('public.wizard_orders');
  await walk.seen('04-streams');

  await walk.next();
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
  await walk.seen('05-columns');

  await walk.next();
  await page.getByRole('radio', { name: 'Local warehouse' }).click();
  await walk.fill({ Folder: 'shop' });
  await walk.seen('06-tables');
  await walk.next();
  await walk.seen('07-where');
  await walk.next();
  await page.getByLabel('every day', { exact: true }).check();
  await expect(page.getByText(/every day at 03:00/)).toBeVisible(SLOW);
  await walk.seen('08-schedule');
  await walk.next();
  await page.getByRole('button', { name: 'E-mail' }).click();
  await page.getByRole('combobox', { name: 'Addresses' }).fill('data@example.com');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Unique' }).click();
  await walk.seen('09-watch');
  await walk.next();
  await expect(page.getByText(/^Table main\.public_wizard_orders/)).toBeVisible(SLOW);
  await walk.seen('10-review');

  // Back and forward go through the steps.
  await page.goBack();
  await expect(page.getByText('data@example.com')).toBeVisible();
  await page.goForward();
  await walk.run('Orders');
  await walk.seen('11-first-run');
  const table = world.service.table(world.tenant, 'shop', 'public_wizard_orders');
  expect(loaded(table, 'SELECT count(*), sum(order_no), sum(net_amount)::VARCHAR FROM rows')).toEqual([
    [60, 1830, '2058.750'],
  ]);
});

test('a source that refuses says why, and what to do', async ({ page, root }) => {
  const walk = await Walk.begin(page, root);
  await walk.choose('PostgreSQL');
  await walk.fill({ ...CONNECTION(), Database: 'no_such_database' });
  await walk.reachPrivateAddresses();
  await walk.next();
  await expect(page.getByText('A step failed.')).toBeVisible(SLOW);
  await walk.seen('13-refused');
  await page.getByRole('button', { name: 'Change the connection' }).click();
  await expect(page.getByLabel(/^Database/)).toHaveValue('no_such_database');
});
