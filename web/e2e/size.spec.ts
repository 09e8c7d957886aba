// Sizes that nobody wants and somebody has: ten thousand streams, a thousand pipelines, five thousand columns, names of any script and length.
// Everything is there for real: tables in PostgreSQL, pipelines that were made, a file with that many columns.

import { intoS3 } from './servers/objects';
import { loaded } from './servers/parquet';
import { postgres } from './servers/postgres';
import { setting } from './servers/setting';
import { arrived, call, expect, type Page, ran, sample, shown, sideways, test } from './test';
import { SLOW, Walk } from './wizard/walk';

test.describe.configure({ timeout: 600_000 });

const LONG = 'a_column_or_stream_with_a_very_long_name_'.repeat(8).slice(0, 300);
const NAMES = ['جدول الطلبات', 'bestellungen 🛒🧾', 'ordinary'];
const name = (index: number) => `${NAMES[index % NAMES.length]} ${index}`;

/** As many elements as a page may have whatever it shows: what is not seen is not drawn. */
const MOST_ELEMENTS = 6_000;
/** How long a page may take until it answers, on a busy machine. */
const ANSWERS_MS = 5_000;

/** The page draws little of what it has, and does not keep anybody waiting who types or clicks. */
async function usable(page: Page, what: string): Promise<void> {
  const elements = await page.locator('*').count();
  const began = performance.now();
  await page.evaluate(() => new Promise(done => requestAnimationFrame(() => setTimeout(done))));
  const took = Math.round(performance.now() - began);
  process.stdout.write(`${what}: ${elements} elements, answers within ${took} ms\n`);
  expect(elements, what).toBeLessThan(MOST_ELEMENTS);
  expect(took, what).toBeLessThan(ANSWERS_MS);
  expect(await sideways(page), `${what} does not scroll sideways`).toBe(false);
}

test('ten thousand tables are listed, searched, chosen and reviewed', async ({ page, root }) => {
  const database = 'wizard_tables';
  if (postgres(`SELECT 1 FROM pg_database WHERE datname = '${database}'`) === '')
    postgres(`CREATE DATABASE ${database}`);
  postgres(
    `DO $$ BEGIN FOR n IN 1..10000 LOOP
       EXECUTE format('CREATE TABLE IF NOT EXISTS %I (id bigint PRIMARY KEY, word text)', 'table ' || lpad(n::text, 5, '0'));
       IF n % 100 = 0 THEN COMMIT; END IF;
     END LOOP; END $$`,
    database,
  );
  const walk = await Walk.begin(page, root);
  await walk.choose('PostgreSQL');
  await walk.fill({
    Host: setting('POSTGRES_HOST'),
    Port: setting('POSTGRES_PORT'),
    Database: database,
    User: setting('POSTGRES_USER'),
    Password: setting('POSTGRES_PASSWORD'),
  });
  await walk.reachPrivateAddresses();
  await walk.passTheTest();
  await walk.next();
  await page.getByRole('button', { name: 'Choose all', exact: true }).click(SLOW);
  await expect(page.getByText('10,000 streams chosen')).toBeVisible({ timeout: 240_000 });
  await usable(page, 'the streams');
  await walk.seen('size-streams');
  await page.getByLabel('Search by name').fill('table 09999');
  await expect(page.getByRole('checkbox', { name: /table 09999/ })).toBeChecked(SLOW);
  await walk.next();
  await expect(page.getByText('2 of 2 columns are loaded')).toBeVisible(SLOW);
  await usable(page, 'the columns of one of them');
  await walk.next();
  await page.getByRole('radio', { name: 'Local warehouse' }).click();
  await page.getByRole('radio', { name: 'Catalog' }).click();
  await expect(page.getByRole('radio', { name: 'Catalog' })).toBeChecked();
  await usable(page, 'their tables');
  await walk.seen('size-tables');
  await walk.next();
  await walk.next();
  await walk.next();
  await walk.next();
  await page.getByLabel('Name of the pipeline').fill('Ten thousand tables');
  await expect(page.getByText(/10,000 streams into/)).toBeVisible(SLOW);
  await usable(page, 'the review');
  await expect(page.getByText('Kept as a draft')).toBeVisible(SLOW);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await page.waitForURL(/\/pipelines\//, { timeout: 240_000 });
  await arrived(page, 'Ten thousand tables');
  await page.getByRole('tab', { name: 'Streams' }).click();
  await expect(page.getByText('10,000 of 10,000')).toBeVisible(SLOW);
  await usable(page, 'the pipeline');
  await shown(page, 'size-pipeline');
});

test('a thousand pipelines stand at home and in the list', async ({ page, world }) => {
  await page.goto(`${world.service.origin}/t/${world.tenant}`);
  const { id: tenant } = (await call(page, 'POST', '/v1/tenants', { name: 'A thousand' })) as { id: string };
  const { connection } = await sample(page, tenant, 'The first');
  await page.evaluate(
    async ([where, from, names]) => {
      const definition = { streams: [{ id: 'stations' }], sink: { type: 'local', path: 'much' } };
      const make = async (name: string) => {
        const send = () =>
          fetch(where as string, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ name, connection: from, definition }),
          });
        let response = await send();
        // The service takes so many at once and no more; it says when to go on.
        while (response.status === 429) {
          const seconds = Number(response.headers.get('retry-after'));
          await new Promise(done => setTimeout(done, seconds * 1_000));
          response = await send();
        }
        if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
      };
      const left = [...(names as string[])];
      const maker = async () => {
        for (let next = left.pop(); next !== undefined; next = left.pop()) await make(next);
      };
      await Promise.all([maker(), maker(), maker(), maker()]);
    },
    [`/v1/tenants/${tenant}/pipelines`, connection, Array.from({ length: 999 }, (_, index) => name(index))] as const,
  );
  const root = `${world.service.origin}/t/${tenant}`;
  await page.goto(root);
  await arrived(page, 'Home');
  await expect(page.getByText('1,000 of 1,000')).toBeVisible();
  await usable(page, 'home');
  await shown(page, 'size-home');
  await page.getByRole('searchbox', { name: /How each pipeline stands/ }).fill('ordinary 998');
  await expect(page.getByText('1 of 1,000')).toBeVisible();
  await page.goto(`${root}/pipelines`);
  await arrived(page, 'Pipelines');
  await usable(page, 'the list');
  await page.getByRole('searchbox').fill('ordinary 998');
  await expect(page.getByRole('link', { name: 'ordinary 998' })).toBeVisible();
  await page.goto(`${root}/calendar`);
  await arrived(page, 'Calendar');
  await usable(page, 'the calendar');
});

test('a table of five thousand columns is mapped, looked at, loaded and shown', async ({ page, root, world }) => {
  const columns = [LONG, ...Array.from({ length: 4_999 }, (_, index) => name(index))];
  const row = (number: number) => columns.map((_, index) => String(number * index)).join(',');
  intoS3('wide', 'wide.csv', `${columns.join(',')}\n${row(1)}\n${row(2)}\n`);
  const walk = await Walk.begin(page, root);
  await walk.choose('Amazon S3');
  await walk.fill({ Bucket: 'wide' });
  await walk.fill(
    { 'Access key id': setting('S3_ACCESS_KEY'), 'Secret access key': setting('S3_SECRET_KEY') },
    'Access',
  );
  await walk.fill({ Endpoint: setting('S3_ENDPOINT') }, 'Endpoint');
  await walk.reachPrivateAddresses();
  await walk.passTheTest();
  await walk.pick('wide');
  await walk.next();
  await expect(page.getByText('5,000 of 5,000 columns are loaded')).toBeVisible(SLOW);
  await usable(page, 'five thousand columns');
  await walk.seen('size-map');
  await page.getByLabel('Search columns').fill('ordinary 4997');
  await expect(page.getByRole('textbox', { name: 'Name of ordinary 4997 in the table' })).toBeVisible();
  await page.getByRole('button', { name: 'Show rows' }).click();
  await expect(page.getByText('Columns 1 to 20 of 5,000')).toBeVisible(SLOW);
  await usable(page, 'their preview');
  await walk.seen('size-preview');
  await walk.next();
  await page.getByRole('radio', { name: 'Local warehouse' }).click();
  await walk.fill({ Folder: 'wide' });
  await walk.createAndRun('Five thousand columns');
  await usable(page, 'its run');
  expect(loaded(world.service.table(world.tenant, 'wide', 'wide'), 'SELECT sum(ordinary_4997) FROM rows')).toEqual([
    [3 * 4_998],
  ]);

  await page.goto(`${root}/connections`);
  await page.getByRole('link', { name: 'Amazon S3' }).last().click();
  await page.getByRole('tab', { name: 'Streams' }).click();
  await page.getByRole('button', { name: /^5,000 columns/ }).click(SLOW);
  await expect(page.getByRole('dialog').getByText('5,000 of 5,000')).toBeVisible();
  await usable(page, 'the connection');
  await shown(page, 'size-columns');
});

test('a run of many streams shows its record, page by page', async ({ page, root, world }) => {
  const streams = Array.from({ length: 150 }, (_, index) => ({ id: name(index) }));
  for (const { id } of streams) intoS3('many', `${id}.csv`, 'id\n1\n');
  await page.goto(root);
  const api = `/v1/tenants/${world.tenant}`;
  const { id: connection } = (await call(page, 'POST', `${api}/connections`, {
    name: 'Many files',
    connector: 's3',
    config: {
      bucket: 'many',
      endpoint: setting('S3_ENDPOINT'),
      access_key_id: setting('S3_ACCESS_KEY'),
      secret_access_key: setting('S3_SECRET_KEY'),
    },
    grants: { private_network: true },
  })) as { id: string };
  const { id: pipeline } = (await call(page, 'POST', `${api}/pipelines`, {
    name: 'Many streams',
    connection,
    definition: { streams, sink: { type: 'local', path: 'many' } },
  })) as { id: string };
  const run = await ran(page, world.tenant, pipeline);
  await page.goto(`${root}/runs/${run}`);
  await arrived(page, /^Run of/);
  await expect(page.getByText('150 of 150', { exact: true })).toBeVisible();
  await usable(page, 'a run of many streams');
  await shown(page, 'size-run');
  await page.getByRole('button', { name: 'Page 3', exact: true }).click();
  await expect(page.getByRole('region', { name: 'Where every row went' }).getByRole('row')).toHaveCount(51);
});

test('names of any script and length stay in their places', async ({ page, root, world }) => {
  await page.goto(root);
  const made = (await call(page, 'POST', '/v1/tenants', { name: `${'غ🚲'.repeat(30)}` })) as { id: string };
  await sample(page, world.tenant, 'x'.repeat(100));
  for (const width of [1360, 390]) {
    await page.setViewportSize({ width, height: 800 });
    for (const [tenant, path, title] of [
      [world.tenant, '/pipelines', 'Pipelines'],
      [made.id, '', 'Home'],
    ] as const) {
      await page.goto(`${world.service.origin}/t/${tenant}${path}`);
      await arrived(page, title);
      expect(await sideways(page), `${path} at ${width}`).toBe(false);
    }
  }
});
