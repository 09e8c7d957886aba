// What every test has: the service with one tenant and one owner, a page that must not be refused anything or ask anybody else, and
// visits that check accessibility and keep screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { type BrowserContext, expect, type Page, test as plain } from '@playwright/test';
import { Service } from './service';

export { expect, type Locator, type Page } from '@playwright/test';

export const OWNER = { name: 'Ada Example', email: 'ada@example.com', password: 'correct horse battery' };
const OUTPUT = join(import.meta.dirname, 'output');
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export interface World {
  service: Service;
  /** The cookie's holder: contexts of the owner begin with it. */
  state: Awaited<ReturnType<BrowserContext['storageState']>>;
  tenant: string;
}

export const test = plain.extend<{ page: Page; root: string; refused: string[] }, { world: World }>({
  world: [
    async ({ browser }, use) => {
      const service = new Service();
      await service.start();
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`${service.origin}/sign-in`);
      const me = (await call(page, 'POST', '/v1/setup', { ...OWNER, tenant: 'Sales' })) as {
        tenants: { id: string }[];
      };
      const tenant = me.tenants[0]?.id ?? '';
      await use({ service, state: await context.storageState(), tenant });
      await context.close();
      await service.stop();
    },
    { scope: 'worker', timeout: 180_000 },
  ],
  refused: async ({ browserName: _ }, use) => {
    const refused: string[] = [];
    await use(refused);
    expect(refused, 'what the browser refused, what broke, and whom else the page asked').toEqual([]);
  },
  page: async ({ browser, world, refused }, use) => {
    const context = await browser.newContext({ storageState: world.state });
    const page = await context.newPage();
    watch(page, world.service.origin, refused);
    await use(page);
    await context.close();
  },
  root: async ({ world }, use) => use(`${world.service.origin}/t/${world.tenant}`),
});

export function watch(page: Page, origin: string, refused: string[]): void {
  page.on('pageerror', error => refused.push(error.message));
  page.on('console', message => {
    if (/Content Security Policy|Refused to/i.test(message.text())) refused.push(message.text());
  });
  page.on('request', request => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol.startsWith('http') && asked !== origin) refused.push(`a request to ${asked}`);
  });
}

/** A request as the page itself makes them, with its session. */
export async function call(page: Page, method: string, path: string, body?: unknown): Promise<unknown> {
  return page.evaluate(
    async ([how, where, what]) => {
      const response = await fetch(where as string, {
        method: how as string,
        headers: { 'content-type': 'application/json' },
        body: what === undefined ? undefined : JSON.stringify(what),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${how} ${where}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
    [method, path, body] as const,
  );
}

/** The page's title is there, and so is what it waits for. */
export async function arrived(page: Page, title: string | RegExp): Promise<void> {
  await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
  await expect(page.getByRole('status', { name: 'Loading' })).toHaveCount(0);
}

/** Whether one would have to scroll to the side to see all of the page. */
export const sideways = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

/** Keeps the page as it looks from its top. */
export async function pictured(page: Page, name: string): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true });
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: join(OUTPUT, `${name}.png`), fullPage: true, animations: 'disabled' });
}

/** Keeps the page as it looks in light and in dark; in each it must be accessible. */
export async function shown(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', colorScheme);
    await pictured(page, `${name}-${colorScheme}`);
    // What is there is the same in both; only its colours differ.
    const axe = new AxeBuilder({ page });
    const { violations } = await (colorScheme === 'light'
      ? axe.withTags(WCAG)
      : axe.withRules('color-contrast')
    ).analyze();
    const found = violations.map(each => `${each.id}: ${each.nodes.map(node => node.html).join(' | ')}`);
    expect(found, `${name}, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** A connection to the sample files and a pipeline of them. */
export async function sample(
  page: Page,
  tenant: string,
  name: string,
): Promise<{ connection: string; pipeline: string }> {
  const api = `/v1/tenants/${tenant}`;
  const connection = (await call(page, 'POST', `${api}/connections`, {
    name: `${name}: files`.slice(0, 100),
    connector: 'files',
    config: {},
    grants: { folders: { '/data': 'samples' } },
  })) as { id: string };
  const { items } = (await call(page, 'GET', `${api}/connections/${connection.id}/streams`)) as {
    items: { id: string }[];
  };
  const pipeline = (await call(page, 'POST', `${api}/pipelines`, {
    name,
    connection: connection.id,
    definition: {
      streams: items.map(({ id }) => ({ id })),
      sink: { type: 'local', path: connection.id },
      schedule: { cron: '30 2 * * *', time_zone: 'America/New_York' },
    },
  })) as { id: string };
  return { connection: connection.id, pipeline: pipeline.id };
}

/** Starts the pipeline and waits for the end of its run. */
export async function ran(page: Page, tenant: string, pipeline: string): Promise<string> {
  const run = (await call(page, 'POST', `/v1/tenants/${tenant}/pipelines/${pipeline}/runs`, {})) as { id: string };
  await expect
    .poll(
      async () => {
        const got = (await call(page, 'GET', `/v1/tenants/${tenant}/runs/${run.id}`)) as { run: { state: string } };
        return got.run.state;
      },
      { timeout: 90_000 },
    )
    .toBe('succeeded');
  return run.id;
}
