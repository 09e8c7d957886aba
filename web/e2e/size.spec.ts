// Answers of a size that a test could not wait for are made up here; everything else is the real service.
import { arrived, call, expect, ran, sample, shown, test } from './test';

const LONG = `${'a_column_or_stream_with_a_very_long_name_'.repeat(8)}`.slice(0, 300);
const NAMES = [LONG, 'جدول الطلبات', 'bestellungen 🛒🧾', 'ordinary'];
const name = (index: number) => `${NAMES[index % NAMES.length]} ${index}`;

test('a thousand pipelines are shown at home', async ({ page, root, world }) => {
  await page.route(`**/v1/tenants/${world.tenant}/summary**`, async route => {
    const real = await (await route.fetch()).json();
    const pipelines = Array.from({ length: 1_000 }, (_, index) => ({
      id: `p${index}`,
      name: name(index),
      enabled: true,
      freshness: ['fresh', 'late', 'never', 'unscheduled'][index % 4],
      failures_day: 0,
      failures_week: index % 7,
    }));
    await route.fulfill({
      json: { ...real, pipelines, freshness: { fresh: 250, late: 250, never: 250, unscheduled: 250 } },
    });
  });
  await page.goto(root);
  await arrived(page, 'Home');
  await expect(page.getByText('1,000 of 1,000')).toBeVisible();
  await page.getByRole('searchbox', { name: /How each pipeline stands/ }).fill('ordinary 999');
  await expect(page.getByText('1 of 1,000')).toBeVisible();
  await shown(page, 'size-home');
});

test('a run of ten thousand streams shows its record', async ({ page, root, world }) => {
  await page.goto(root);
  const { pipeline } = await sample(page, world.tenant, 'To be made large');
  const run = await ran(page, world.tenant, pipeline);
  await page.route(`**/v1/tenants/${world.tenant}/runs/${run}`, async route => {
    const real = await (await route.fetch()).json();
    const [load] = real.attempts[0].streams;
    const streams = Array.from({ length: 10_000 }, (_, index) => ({
      ...load,
      load: `${index}`,
      stream: name(index),
      table: `main.${name(index)}`,
    }));
    await route.fulfill({ json: { ...real, attempts: [{ ...real.attempts[0], streams }] } });
  });
  await page.goto(`${root}/runs/${run}`);
  await arrived(page, /^Run of/);
  await expect(page.getByText('10,000 of 10,000')).toBeVisible();
  await shown(page, 'size-run');
  await page.getByRole('button', { name: 'Page 200', exact: true }).click();
  await expect(page.getByText('ordinary 9999', { exact: true })).toBeVisible();
});

test('a stream of five thousand columns can be looked into', async ({ page, root, world }) => {
  await page.goto(root);
  const { connection } = await sample(page, world.tenant, 'With a wide stream');
  await page.route(`**/v1/tenants/${world.tenant}/connections/${connection}/streams**`, async route => {
    const real = await (await route.fetch()).json();
    const columns = Array.from({ length: 5_000 }, (_, index) => ({
      name: name(index),
      type: 'STRING',
      nullable: true,
    }));
    await route.fulfill({ json: { ...real, items: [{ ...real.items[0], id: LONG, columns }] } });
  });
  await page.goto(`${root}/connections/${connection}`);
  await page.getByRole('tab', { name: 'Streams' }).click();
  await page.getByRole('button', { name: /^5,000 columns/ }).click();
  await expect(page.getByRole('dialog').getByText('5,000 of 5,000')).toBeVisible();
  await shown(page, 'size-columns');
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
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
      );
      expect(wide, `${path} at ${width}`).toBe(false);
    }
  }
});
