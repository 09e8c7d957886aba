import { arrived, test as base, call, expect, ran, sample, shown, sideways } from './test';

interface Things {
  connection: string;
  pipeline: string;
  run: string;
}

const test = base.extend<object, { things: Things }>({
  things: [
    async ({ browser, world }, use) => {
      const context = await browser.newContext({ storageState: world.state });
      const page = await context.newPage();
      await page.goto(`${world.service.origin}/t/${world.tenant}`);
      const { connection, pipeline } = await sample(page, world.tenant, 'Trips every night');
      const run = await ran(page, world.tenant, pipeline);
      await sample(page, world.tenant, 'رحلات اليوم 🚲');
      await context.close();
      await use({ connection, pipeline, run });
    },
    { scope: 'worker', timeout: 180_000 },
  ],
});

const PAGES: [string, string | RegExp, (things: Things) => string][] = [
  ['home', 'Home', () => ''],
  ['pipelines', 'Pipelines', () => '/pipelines'],
  ['pipeline', 'Trips every night', ({ pipeline }) => `/pipelines/${pipeline}`],
  ['pipeline-streams', 'Trips every night', ({ pipeline }) => `/pipelines/${pipeline}?tab=streams`],
  ['pipeline-runs', 'Trips every night', ({ pipeline }) => `/pipelines/${pipeline}?tab=runs`],
  ['pipeline-state', 'Trips every night', ({ pipeline }) => `/pipelines/${pipeline}?tab=state`],
  ['pipeline-revisions', 'Trips every night', ({ pipeline }) => `/pipelines/${pipeline}?tab=revisions`],
  ['pipeline-definition', 'Trips every night', ({ pipeline }) => `/pipelines/${pipeline}?tab=definition`],
  ['runs', 'Runs', () => '/runs'],
  ['run', /^Run of/, ({ run }) => `/runs/${run}`],
  ['calendar', 'Calendar', () => '/calendar'],
  ['connections', 'Connections', () => '/connections'],
  ['connection', 'Trips every night: files', ({ connection }) => `/connections/${connection}`],
  ['connectors', 'Connectors', () => '/connectors'],
  ['connector', 'PostgreSQL', () => '/connectors/postgres'],
  ['members', 'Members', () => '/members'],
  ['tokens', 'API tokens', () => '/tokens'],
  ['audit', 'Audit log', () => '/audit'],
  ['settings', 'Settings', () => '/settings'],
  ['account', 'Your account', () => '/account'],
];

for (const [name, title, path] of PAGES) {
  test(`${name} is there, in light and dark, for everybody`, async ({ page, root, things }) => {
    await page.goto(root + path(things));
    await arrived(page, title);
    await shown(page, name);
  });
}

test('a small screen shows how things are, and lets one try again', async ({ page, root, things }) => {
  await page.setViewportSize({ width: 390, height: 800 });
  for (const [name, title, path] of [
    ['small-home', 'Home', ''],
    ['small-runs', 'Runs', '/runs'],
    ['small-run', /^Run of/, `/runs/${things.run}`],
  ] as const) {
    await page.goto(root + path);
    await arrived(page, title);
    expect(await sideways(page), `${name} does not scroll sideways`).toBe(false);
    await shown(page, name);
  }
  await page.getByRole('button', { name: 'Open the navigation' }).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Pipelines' }).click();
  await arrived(page, 'Pipelines');
});

test('what there is not is said, and leads back', async ({ page, root }) => {
  await page.goto(`${root}/pipelines/00000000000000000000000000000000`);
  await arrived(page, 'There is no such page');
  await shown(page, 'missing');
});

test('dialogs can be reached and left with the keyboard', async ({ page, root, things: _ }) => {
  await page.goto(root);
  await arrived(page, 'Home');
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await shown(page, 'shortcuts');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.keyboard.press('g');
  await page.keyboard.press('c');
  await arrived(page, 'Connections');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('Trips every');
  // What is found comes from the service.
  await expect(page.getByRole('dialog').getByText('Trips every night').first()).toBeVisible();
  await page.keyboard.press('Enter');
  await arrived(page, 'Trips every night');
});

test('the skip link leads past the navigation', async ({ page, root }) => {
  await page.goto(root);
  await arrived(page, 'Home');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#content')).toBeFocused();
});

test('no secret comes back', async ({ page, root, world }) => {
  await page.goto(root);
  const secret = 'never to be seen again';
  const made = (await call(page, 'POST', `/v1/tenants/${world.tenant}/connections`, {
    name: 'With a secret',
    connector: 'postgres',
    config: { host: 'localhost', database: 'd', user: 'u', password: secret },
    grants: { private_network: true },
  })) as { id: string };
  const seen: string[] = [];
  page.on('response', async response => seen.push(await response.text().catch(() => '')));
  await page.goto(`${root}/connections/${made.id}`);
  await arrived(page, 'With a secret');
  await expect(page.getByText('Stored. It is never shown.')).toBeVisible();
  await shown(page, 'connection-secret');
  expect(seen.join() + (await page.content())).not.toContain(secret);
});
