// The connection to the service drops: while somebody is in the wizard, and while a run is watched.
import { postgres } from './servers/postgres';
import { setting } from './servers/setting';
import { arrived, call, expect, shown, test } from './test';
import { Walk } from './wizard/walk';

test.describe.configure({ timeout: 300_000 });

/** A service that was killed has to start, and to find out what became of its runs. */
const RECOVERS = { timeout: 180_000 };

test('what is entered in the wizard while the service is away is kept once it is back', async ({
  page,
  root,
  world,
}) => {
  const walk = await Walk.begin(page, root);
  await walk.choose('PostgreSQL');
  await walk.fill({ Host: 'db.example.com' });
  await expect(page.getByText('Kept as a draft')).toBeVisible();
  await world.service.kill();
  await walk.fill({ Database: 'entered meanwhile' });
  await expect(page.getByText('Not kept yet')).toBeVisible();
  await expect(page.getByText('The service does not answer.', { exact: false }).first()).toBeVisible();
  await walk.seen('away');
  await expect(page.getByRole('textbox', { name: 'Database', exact: true })).toHaveValue('entered meanwhile');
  await world.service.start();
  // Nobody has to press anything.
  await expect(page.getByText('Kept as a draft')).toBeVisible(RECOVERS);
  await page.reload();
  await expect(page.getByRole('textbox', { name: 'Database', exact: true })).toHaveValue('entered meanwhile');
});

test('a run that is watched is followed again when the service is back, to its end', async ({ page, root, world }) => {
  // A row each quarter of a second.
  postgres(`CREATE OR REPLACE VIEW public.console_slow AS
    SELECT n AS id, pg_sleep(0.25)::text AS waited FROM generate_series(1, 40) n`);
  await page.goto(root);
  const api = `/v1/tenants/${world.tenant}`;
  const connection = (await call(page, 'POST', `${api}/connections`, {
    name: 'Slow',
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
    name: 'Slow rows',
    connection: connection.id,
    definition: { streams: [{ id: 'public.console_slow' }], sink: { type: 'local', path: 'slow' } },
  })) as { id: string };
  await page.goto(`${root}/pipelines/${pipeline.id}`);
  await page.getByRole('button', { name: 'Run now' }).click();
  await arrived(page, /^Run of/);
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await expect(page.getByText('Running').first()).toBeVisible({ timeout: 60_000 });
  await world.service.kill();
  await expect(page.getByText('The connection to the service broke.', { exact: false })).toBeVisible();
  await expect(page.getByRole('heading', { level: 1, name: /^Run of/ })).toBeVisible();
  await shown(page, 'run-away');
  await world.service.start();
  await expect(page.getByText('The connection to the service broke.', { exact: false })).toHaveCount(0, RECOVERS);
  await expect(page.getByText('Succeeded').first()).toBeVisible(RECOVERS);
  const record = page.getByRole('region', { name: 'Where every row went' });
  await expect(record.getByText('Accounted for').first()).toBeVisible();
});
