// The source's columns change between runs: what is told of it, and what a person does about it.
import { loaded } from './servers/parquet';
import { postgres } from './servers/postgres';
import { setting } from './servers/setting';
import { arrived, call, expect, ran, shown, test } from './test';

test.describe.configure({ timeout: 300_000 });

test('columns that come, go and change their type are told of, and what does not fit can be put right', async ({
  page,
  root,
  world,
}) => {
  postgres(`DROP TABLE IF EXISTS public.console_changes;
    CREATE TABLE public.console_changes (id bigint PRIMARY KEY, amount bigint, gone text);
    INSERT INTO public.console_changes VALUES (1, 10, 'here')`);
  await page.goto(root);
  const api = `/v1/tenants/${world.tenant}`;
  const connection = (await call(page, 'POST', `${api}/connections`, {
    name: 'Changing',
    connector: 'postgres',
    config: {
      host: setting('POSTGRES_HOST'),
      port: Number(setting('POSTGRES_PORT')),
      database: setting('POSTGRES_DATABASE'),
      user: setting('POSTGRES_USER'),
      password: setting('POSTGRES_PASSWORD'),
    },
    grants: { private_network: true },
  })) as { id: string };
  const pipeline = (await call(page, 'POST', `${api}/pipelines`, {
    name: 'Changing columns',
    connection: connection.id,
    definition: { streams: [{ id: 'public.console_changes' }], sink: { type: 'local', path: 'changing' } },
  })) as { id: string };
  await ran(page, world.tenant, pipeline.id);

  // A column that is new and one that is gone need nobody: the run loads what there is, and says what has changed.
  postgres(`ALTER TABLE public.console_changes ADD COLUMN note text, DROP COLUMN gone;
    UPDATE public.console_changes SET id = 2, note = 'new'`);
  const second = await ran(page, world.tenant, pipeline.id);
  await page.goto(`${root}/runs/${second}`);
  await arrived(page, /^Run of/);
  await expect(page.getByText('Columns have changed since the load before')).toBeVisible();
  await expect(page.getByText('column gone is gone · new column note (Utf8)')).toBeVisible();
  await shown(page, 'schema-changed');
  const table = world.service.table(world.tenant, 'changing', 'public_console_changes');
  expect(loaded(table, 'SELECT id, amount, gone, note FROM rows ORDER BY id')).toEqual([
    [1, 10, 'here', null],
    [2, 10, null, 'new'],
  ]);

  // A type that the table has no place for ends the run before anything is loaded; the pipeline's page says so as well.
  postgres(`ALTER TABLE public.console_changes ALTER COLUMN amount TYPE text USING amount || '0';
    UPDATE public.console_changes SET id = 3`);
  await page.goto(`${root}/pipelines/${pipeline.id}`);
  await page.getByRole('button', { name: 'Run now' }).click();
  await arrived(page, /^Run of/);
  await expect(page.getByText('Failed').first()).toBeVisible({ timeout: 90_000 });
  await expect(page.getByText(/the columns of table .* do not fit/).first()).toBeVisible();
  await shown(page, 'schema-refused');

  // What to do stands there: the column is cast to what the table has, and the next run goes on.
  await page.getByRole('link', { name: 'Change the pipeline' }).click();
  await arrived(page, 'Changing columns');
  const definition = page.getByLabel('Definition (JSON)');
  const text = JSON.parse(await definition.inputValue());
  text.streams[0].cast = { amount: { to: 'INT64' } };
  await definition.fill(JSON.stringify(text, null, 2));
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The definition is saved as a new revision.').first()).toBeVisible();
  await page.getByRole('button', { name: 'Run now' }).click();
  await arrived(page, /^Run of/);
  await expect(page.getByText('Succeeded').first()).toBeVisible({ timeout: 90_000 });
  expect(loaded(table, 'SELECT amount, note FROM rows WHERE id = 3')).toEqual([[100, 'new']]);
});
