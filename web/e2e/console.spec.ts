// What one does with connections, pipelines, lists and connectors besides setting a pipeline up.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { arrived, test as base, call, expect, type Page, sample, shown as shownAsItIs, sideways } from './test';

/** A worker has to be started, and connectors to be loaded: on a busy machine that takes its time. */
const SLOW = { timeout: 90_000 };

interface Named {
  id: string;
  name: string;
}

const test = base.extend<object, { silent: number }>({
  /** The port of a server that takes connections and says nothing. */
  silent: [
    async ({ browserName: _ }, use) => {
      const server = await new Promise<Server>(ready => {
        const made = createServer(() => undefined).listen(0, '127.0.0.1', () => ready(made));
      });
      const address = server.address();
      await use(typeof address === 'object' && address ? address.port : 0);
      server.close();
    },
    { scope: 'worker' },
  ],
});

/** A page from its top. */
async function shown(page: Page, name: string): Promise<void> {
  await page.evaluate(() => window.scrollTo(0, 0));
  await shownAsItIs(page, name);
}

/** A page as somebody has it who looks from a phone. */
async function onPhone(page: Page, name: string): Promise<void> {
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await sideways(page), `${name} does not scroll sideways`).toBe(false);
  await shown(page, name);
  await page.setViewportSize({ width: 1360, height: 900 });
}

test('a connection is made without a pipeline, tried, and used later', async ({ page, root }) => {
  await page.goto(`${root}/connections`);
  await page.getByRole('link', { name: 'New connection' }).first().click();
  await arrived(page, 'New connection');
  await shown(page, 'connection-new');
  await page.getByRole('searchbox').fill('folder');
  await page.getByRole('link', { name: 'Files', exact: true }).click();
  await arrived(page, 'New connection: Files');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Files of the demo');
  await page.getByRole('combobox', { name: 'Folder /data' }).click();
  await page.getByRole('option', { name: 'samples' }).click();
  await page.getByRole('button', { name: 'Check the connection' }).click();
  await expect(page.getByText('Everything a run needs works.')).toBeVisible(SLOW);
  await shown(page, 'connection-new-tried');
  await onPhone(page, 'small-connection-new');
  await page.getByRole('button', { name: 'Create the connection' }).click();
  await arrived(page, 'Files of the demo');
  await page.getByRole('button', { name: 'Load from it' }).click();
  await expect(page.getByText('Everything a run needs works.')).toBeVisible(SLOW);
  await expect(page.getByRole('heading', { name: 'Trying the connection' })).toBeVisible();
});

test('a check that takes long says what it is at, and can be ended', async ({ page, root, silent }) => {
  await page.goto(`${root}/connections/new?connector=postgres`);
  await arrived(page, 'New connection: PostgreSQL');
  await page.getByRole('button', { name: 'Check the connection' }).click();
  await expect(page.getByText('This is needed.').first()).toBeVisible();
  await page.getByRole('textbox', { name: 'Host', exact: true }).fill('127.0.0.1');
  await page.getByRole('textbox', { name: 'Port', exact: true }).fill(String(silent));
  await page.getByRole('textbox', { name: 'Database', exact: true }).fill('shop');
  await page.getByRole('textbox', { name: 'User', exact: true }).fill('reader');
  await page.getByLabel('Reach private addresses').check({ force: true });
  await page.getByRole('button', { name: 'Check the connection' }).click();
  await expect(page.getByText(`Reaching 127.0.0.1:${silent}`)).toBeVisible(SLOW);
  await shown(page, 'check-under-way');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByText('Ended. Nothing was changed by it.')).toBeVisible();
});

test('a secret is taken from Secret Manager where that is offered', async ({ page, root }) => {
  // Whoever operates the service of these tests has no Secret Manager: only the offer is made up, the refusal is the service's own.
  await page.route('**/offers', async route => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), secrets: ['projects/vault/secrets/acme-*'] } });
  });
  await page.goto(`${root}/connections/new?connector=postgres`);
  await arrived(page, 'New connection: PostgreSQL');
  for (const [name, text] of [
    ['Host', 'db.example.com'],
    ['Database', 'shop'],
    ['User', 'reader'],
  ] as const) {
    await page.getByRole('textbox', { name, exact: true }).fill(text);
  }
  await page.getByRole('button', { name: 'Take it from Secret Manager: Password' }).click();
  const field = page.getByRole('textbox', { name: 'Password', exact: true });
  await field.fill('projects/vault/secrets/other/versions/1');
  await expect(page.getByText('This is no version of a secret that is offered')).toBeVisible();
  await field.fill('projects/vault/secrets/acme-db/versions/latest');
  await shown(page, 'connection-secret-manager');
  const sent = page.waitForRequest(request => request.method() === 'POST' && request.url().endsWith('/connections'));
  await page.getByRole('button', { name: 'Create the connection' }).click();
  expect(((await sent).postDataJSON() as { config: { password: unknown } }).config.password).toEqual({
    reference: 'projects/vault/secrets/acme-db/versions/latest',
  });
  await expect(page.getByText(/not offered to this tenant|offers no secrets/).first()).toBeVisible();
});

test('a pipeline is renamed, duplicated, and imported from the file that it was exported to', async ({
  page,
  root,
  world,
}) => {
  await page.goto(root);
  const { connection, pipeline } = await sample(page, world.tenant, 'Rides');
  await page.goto(`${root}/pipelines/${pipeline}`);
  await arrived(page, 'Rides');
  const menu = () => page.getByRole('button', { name: 'More that can be done' }).click();
  await menu();
  await page.getByRole('menuitem', { name: 'Rename …' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Rides of the city');
  await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
  await arrived(page, 'Rides of the city');

  await menu();
  await page.getByRole('menuitem', { name: 'Duplicate …' }).click();
  await shown(page, 'pipeline-duplicate');
  await page.getByRole('dialog').getByRole('button', { name: 'Duplicate' }).click();
  await arrived(page, 'Rides of the city (copy)');
  await expect(page.getByText('Off', { exact: true })).toBeVisible();

  const file = await page.evaluate(
    async path => (await fetch(path)).text(),
    `/v1/tenants/${world.tenant}/pipelines/${pipeline}/export`,
  );
  await page.goto(`${root}/pipelines`);
  await page.getByRole('button', { name: 'Import a file' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await expect(dialog.getByText('This is needed.')).toHaveCount(2);
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'rides.yaml', mimeType: 'application/yaml', buffer: Buffer.from(file) });
  await expect(dialog.getByText('The file reads with files')).toBeVisible();
  await dialog.getByRole('combobox', { name: 'Connection that stands for its source' }).fill('Rides');
  await page.getByRole('option', { name: 'Rides: files' }).click();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Rides again');
  await shown(page, 'pipeline-import');
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await arrived(page, 'Rides again');
  const made = (await call(page, 'GET', `/v1/tenants/${world.tenant}/pipelines?contains=RIDES`)) as { items: Named[] };
  expect(made.items.map(({ name }) => name)).toEqual(['Rides of the city', 'Rides of the city (copy)', 'Rides again']);
  const copied = (await call(page, 'GET', `/v1/tenants/${world.tenant}/pipelines?connection=${connection}`)) as {
    items: { definition: unknown }[];
  };
  expect(new Set(copied.items.map(({ definition }) => JSON.stringify(definition))).size).toBe(1);
});

test('lists are searched at the service, and the palette goes on as soon as it has its answer', async ({
  page,
  root,
  world,
}) => {
  await page.goto(root);
  const { connection, pipeline } = await sample(page, world.tenant, 'Morning walks');
  const api = `/v1/tenants/${world.tenant}/pipelines`;
  const { definition } = (await call(page, 'GET', `${api}/${pipeline}`)) as { definition: object };
  // More than the palette shows before anything is typed.
  for (const name of [...Array.from({ length: 9 }, (_, at) => `Walk ${at}`), 'Nightly strolls']) {
    await call(page, 'POST', api, { name, connection, definition });
  }
  await page.goto(`${root}/pipelines`);
  await page.getByRole('searchbox').fill('STROLLS');
  await expect(page.getByRole('link', { name: 'Nightly strolls' })).toBeVisible();
  await page.getByRole('searchbox').fill('no such name');
  await expect(page.getByText('No pipeline has such a name')).toBeVisible();
  await page.goto(`${root}/connections`);
  await page.getByRole('searchbox').fill('walks: f');
  await expect(page.getByRole('link', { name: 'Morning walks: files' })).toBeVisible();

  await page.route('**/pipelines?contains=*', async route => {
    await new Promise(waited => setTimeout(waited, 1_500));
    await route.continue();
  });
  await page.keyboard.press('Control+k');
  const palette = page.getByLabel('Search pages, pipelines and connections');
  await palette.fill('ghtly strolls');
  await palette.press('Enter');
  await expect(page.getByText('Searching …')).toBeVisible();
  await arrived(page, 'Nightly strolls');
});

test('the whole audit log is searched by words, person and day', async ({ page, root, world }) => {
  await page.goto(root);
  await sample(page, world.tenant, 'Looked for');
  await page.goto(`${root}/audit`);
  await arrived(page, 'Audit log');
  await page.getByRole('searchbox').fill('LOOKED FOR');
  await expect(page.getByText('pipeline.create')).toHaveCount(1);
  await page.getByRole('combobox', { name: 'Who' }).click();
  await page.getByRole('option', { name: 'Ada Example' }).click();
  await expect(page.getByText('pipeline.create')).toHaveCount(1);
  await shown(page, 'audit-found');
  await page.getByLabel('To', { exact: true }).fill('2020-01-01');
  await expect(page.getByText('No entry matches')).toBeVisible();
  await page.getByRole('button', { name: 'Show everything' }).click();
  await expect(page.getByText('session.begin').or(page.getByText('tenant.create')).first()).toBeVisible();
});

test('the calendar has every start of the week, of however many pipelines', async ({ page, root, world }) => {
  await page.goto(root);
  // A tenant of its own: a day shows so many starts, whoever they belong to.
  const { id: tenant } = (await call(page, 'POST', '/v1/tenants', { name: 'Starts' })) as Named;
  const { connection, pipeline } = await sample(page, tenant, 'On the hour');
  const api = `/v1/tenants/${tenant}/pipelines`;
  const { definition } = (await call(page, 'GET', `${api}/${pipeline}`)) as { definition: object };
  const hourly = { ...definition, schedule: { cron: '0 * * * *' } };
  await call(page, 'POST', api, { name: 'Every hour', connection, definition: hourly });
  await page.goto(`${world.service.origin}/t/${tenant}/calendar`);
  await arrived(page, 'Calendar');
  const days = page.getByRole('list', { name: 'Seven days from now' }).getByRole('listitem');
  await expect(days.getByRole('link', { name: 'On the hour' }).first()).toBeVisible();
  await page
    .getByRole('button', { name: /^and \d+ more$/ })
    .nth(1)
    .click();
  await expect(page.getByRole('dialog').getByRole('link', { name: 'Every hour' }).first()).toBeVisible();
  await shown(page, 'calendar-day');
  await page.keyboard.press('Escape');
  await onPhone(page, 'small-calendar');
});

test('rules of the schedule, of reading and of many tables are set in the wizard', async ({ page, root, world }) => {
  await page.goto(root);
  const { connection } = await sample(page, world.tenant, 'Rules');
  const streams = Array.from({ length: 120 }, (_, at) => ({ id: `table ${at}`, read: { incremental: '' } }));
  const draft = (await call(page, 'POST', `/v1/tenants/${world.tenant}/drafts`, {
    step: 'load',
    connection,
    definition: {
      streams,
      sink: { type: 'local', path: 'rules' },
      schedule: { cron: '0 3 * * *', time_zone: 'Europe/Berlin' },
    },
  })) as Named;
  const kept = async () => {
    await expect(page.getByText('Kept as a draft')).toBeVisible();
    const read = await call(page, 'GET', `/v1/tenants/${world.tenant}/drafts/${draft.id}`);
    return (read as { definition: Record<string, unknown> & { streams: Record<string, unknown>[] } }).definition;
  };
  await page.goto(`${root}/new/${draft.id}`);
  await page.getByRole('searchbox', { name: 'Search tables' }).fill('table 11');
  await page.getByRole('checkbox', { name: 'All 11 that are shown' }).check();
  await page.getByRole('combobox', { name: 'How rows get in, for all chosen' }).click();
  await page.getByRole('option', { name: 'Catalog' }).click();
  await expect.poll(async () => (await kept()).streams.filter(stream => stream.load === 'catalog').length).toBe(11);
  await page.getByRole('searchbox', { name: 'Search tables' }).fill('');
  await shown(page, 'wizard-tables');

  await page.goto(`${root}/new/${draft.id}?step=streams`);
  await page.getByRole('combobox', { name: 'A file that was read and has changed' }).click();
  await page.getByRole('option', { name: 'is not read again' }).click();
  await page.getByRole('button', { name: 'The same for all streams' }).click();
  await expect
    .poll(async () => (await kept()).streams.filter(stream => stream.changed_files === 'ignore').length)
    .toBe(109);

  await page.goto(`${root}/new/${draft.id}?step=schedule`);
  await page.getByRole('textbox', { name: 'Spread starts over so many seconds' }).fill('120');
  await page.getByRole('button', { name: 'Add a window' }).click();
  await page.getByRole('checkbox', { name: 'Saturday' }).check();
  await page.getByRole('textbox', { name: 'Attempts altogether' }).fill('5');
  await expect(page.getByText('Tried again up to 4 times')).toBeVisible();
  await shown(page, 'wizard-schedule-rules');
  await expect.poll(async () => (await kept()).retry).toEqual({ max_attempts: 5 });
  expect((await kept()).schedule).toEqual({
    cron: '0 3 * * *',
    time_zone: 'Europe/Berlin',
    jitter_seconds: 120,
    blackouts: [{ from: '22:00', to: '06:00', days: ['sat'] }],
  });
  await onPhone(page, 'small-wizard-schedule');
});

test('a pipeline whose first run was not started is there, and says what to do', async ({ page, root, world }) => {
  await page.goto(root);
  const { connection, pipeline } = await sample(page, world.tenant, 'Begun');
  const api = `/v1/tenants/${world.tenant}`;
  const { definition } = (await call(page, 'GET', `${api}/pipelines/${pipeline}`)) as {
    definition: { streams: object[] };
  };
  const draft = (await call(page, 'POST', `${api}/drafts`, {
    name: 'Not started yet',
    step: 'review',
    connection,
    definition: {
      streams: definition.streams,
      sink: { type: 'local', path: 'begun' },
      schedule: { cron: '0 3 * * *', blackouts: [{ from: '22:00', to: '06:00' }] },
      retry: { max_attempts: 5 },
    },
  })) as Named;
  // The answer of a service that stops just then.
  await page.route('**/pipelines/*/runs', route =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      json: { type: 'urn:sluice:problem:unavailable', title: 'Not available now', status: 503, detail: 'It stops.' },
    }),
  );
  await page.goto(`${root}/new/${draft.id}`);
  await expect(page.getByText('1 window in which nothing starts')).toBeVisible();
  await expect(page.getByText('up to 5 attempts')).toBeVisible();
  await expect(page.getByText(/^Table /).first()).toBeVisible(SLOW);
  await page.getByRole('button', { name: 'Create and run now' }).click();
  await arrived(page, 'Not started yet');
  await expect(page.getByText('The pipeline is made, but its first run was not started')).toBeVisible();
  await expect(page.getByText(/start it with “Run now”/)).toBeVisible();
  await shown(page, 'pipeline-not-started');
});

test('runs go back to the version before, which is shown with what was found in it', async ({ page, root, world }) => {
  const connectors = process.env.SLUICE_TEST_CONNECTORS ?? resolve(import.meta.dirname, '../../target/connectors');
  const first = readFileSync(join(connectors, '../guests/fetch.wasm'));
  const version = (bytes: Buffer, number: string) =>
    Buffer.from(bytes.toString('latin1').replaceAll('"version":"0.1.0"', `"version":"${number}"`), 'latin1');
  await page.goto(root);
  for (const component of [version(first, '0.1.1'), version(first, '0.1.2')]) {
    const made = (await page.evaluate(
      async ([path, text]) => {
        const body = Uint8Array.from(atob(text), each => each.charCodeAt(0));
        const headers = { 'content-type': 'application/wasm' };
        const answer = await fetch(path, { method: 'POST', headers, body });
        if (answer.status !== 201) throw new Error(await answer.text());
        return answer.json();
      },
      [`/v1/tenants/${world.tenant}/connector-versions`, component.toString('base64')] as const,
    )) as { sha256: string; permissions_digest: string };
    await call(page, 'POST', `/v1/tenants/${world.tenant}/connector-versions/${made.sha256}/approve`, {
      permissions: made.permissions_digest,
    });
  }
  await page.goto(`${root}/connectors/fetch`);
  await arrived(page, 'Fetch');
  await page.getByRole('button', { name: 'Go back a version' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByRole('img', { name: 'From version 0.1.2 to version 0.1.1' })).toBeVisible();
  await dialog.getByText('What was found in version 0.1.1').click();
  await dialog.getByRole('textbox', { name: 'Why' }).fill('It repeats rows.');
  await shown(page, 'connector-go-back');
  await dialog.getByRole('button', { name: 'Go back to 0.1.1' }).click();
  await expect(page.getByText('Runs use version 0.1.1 again.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Go back a version' })).toHaveCount(0);
  await expect(page.getByRole('link', { name: '0.1.1' })).toBeVisible();
});
