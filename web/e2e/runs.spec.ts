import { setting } from './servers/setting';
import { arrived, call, expect, sample, shown, test } from './test';

test('a run is started and followed to its end, and every row is accounted for', async ({ page, root, world }) => {
  await page.goto(root);
  const { pipeline } = await sample(page, world.tenant, 'To be run');
  await page.goto(`${root}/pipelines/${pipeline}`);
  await page.getByRole('button', { name: 'Run now' }).click();
  await arrived(page, /^Run of/);
  await expect(page.getByText('Succeeded').first()).toBeVisible({ timeout: 90_000 });
  const record = page.getByRole('region', { name: 'Where every row went' });
  await expect(record.getByText('Accounted for').first()).toBeVisible();
  await expect(record.getByText('Not accounted for')).toHaveCount(0);
  const log = page.getByRole('searchbox', { name: 'Search the log' });
  await log.fill('no line has these words');
  await expect(page.getByText('No line matches.')).toBeVisible();
  await log.fill('committed');
  await expect(page.getByRole('region', { name: 'Log' }).last()).toContainText('the stream is committed');
});

test('a check tells each step, and what to do where one fails', async ({ page, root, world }) => {
  await page.goto(root);
  const body = {
    name: 'Shop',
    connector: 'postgres',
    config: {
      host: setting('POSTGRES_HOST'),
      port: Number(setting('POSTGRES_PORT')),
      database: setting('POSTGRES_DATABASE'),
      user: setting('POSTGRES_USER'),
      password: 'not the password',
    },
    grants: { private_network: true },
  };
  const made = (await call(page, 'POST', `/v1/tenants/${world.tenant}/connections`, body)) as { id: string };
  await page.goto(`${root}/connections/${made.id}`);
  await page.getByRole('button', { name: 'Check the connection' }).click();
  await expect(page.getByText('A step failed. What to do stands beside it.')).toBeVisible();
  await expect(page.getByText('log in · Failed')).toBeVisible();
  await shown(page, 'check-failed');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Replace: Password' }).click();
  await page.locator('input[type=password]').fill(setting('POSTGRES_PASSWORD'));
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Stored. It is never shown.')).toBeVisible();
  await page.getByRole('button', { name: 'Check the connection' }).click();
  await expect(page.getByText('Everything a run needs works.')).toBeVisible();
  await shown(page, 'check-passed');
});

test('a service that is gone is told of calmly, and the page goes on when it is back', async ({
  page,
  root,
  world,
}) => {
  await page.goto(`${root}/runs`);
  await arrived(page, 'Runs');
  await world.service.kill();
  await expect(page.getByText('The service does not answer.', { exact: false })).toBeVisible();
  await expect(page.getByRole('heading', { level: 1, name: 'Runs' })).toBeVisible();
  await shown(page, 'unreachable');
  await world.service.start();
  await expect(page.getByText('The service does not answer.', { exact: false })).toHaveCount(0, { timeout: 60_000 });
  await page.getByRole('link', { name: 'Pipelines', exact: true }).click();
  await arrived(page, 'Pipelines');
});
