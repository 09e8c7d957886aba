// The whole wizard without a mouse.
import { postgres } from '../servers/postgres';
import { setting } from '../servers/setting';
import { arrived, expect, type Locator, type Page, test } from '../test';
import { SLOW } from './walk';

test.describe.configure({ timeout: 300_000 });

/** More stops of the Tab key than any step has. */
const MOST = 80;

/** Presses Tab until something has the focus, as somebody who cannot point at it does. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await expect(target).toBeVisible(SLOW);
  for (let pressed = 0; pressed < MOST; pressed++) {
    if (await target.evaluate(element => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`the Tab key does not lead to ${target}`);
}

async function press(page: Page, target: Locator, key = 'Enter'): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

async function type(page: Page, label: string, text: string): Promise<void> {
  await tabTo(page, page.getByRole('textbox', { name: label, exact: true }));
  await page.keyboard.type(text);
}

async function next(page: Page, step: string): Promise<void> {
  await press(page, page.getByRole('button', { name: /^Next:/ }));
  await expect(page.getByRole('button', { name: step, exact: true })).toHaveAttribute('aria-current', 'step');
}

test('a pipeline is set up and run with the keyboard alone', async ({ page, root }) => {
  postgres(`DROP TABLE IF EXISTS public.wizard_keys; CREATE TABLE public.wizard_keys (id bigint PRIMARY KEY, word text);
    INSERT INTO public.wizard_keys VALUES (1, 'Tab')`);
  await page.goto(`${root}/new`);
  await arrived(page, 'Set up a pipeline');
  await press(page, page.getByRole('button', { name: 'Set up a pipeline' }).first());

  // The tiles are one stop: arrows go from one to the next and around, and nothing is chosen by that.
  const tiles = page.getByRole('toolbar', { name: 'New connection to' }).getByRole('button');
  await expect(tiles.first()).toBeVisible(SLOW);
  const count = await tiles.count();
  await tabTo(page, tiles.first());
  await page.keyboard.press('ArrowLeft');
  await expect(tiles.nth(count - 1)).toBeFocused();
  await page.keyboard.press('Home');
  await expect(tiles.first()).toBeFocused();
  const wanted = page.getByRole('button', { name: /^PostgreSQL by / });
  for (let at = 0; at < count && !(await wanted.evaluate(tile => tile === document.activeElement)); at++) {
    await page.keyboard.press('ArrowRight');
  }
  await page.keyboard.press('Enter');

  await tabTo(page, page.getByRole('textbox', { name: 'Name of the connection' }));
  await page.keyboard.press('Control+a');
  await page.keyboard.type('By the keyboard');
  await type(page, 'Host', setting('POSTGRES_HOST'));
  await tabTo(page, page.getByRole('textbox', { name: 'Port', exact: true }));
  await page.keyboard.press('Control+a');
  await page.keyboard.type(setting('POSTGRES_PORT'));
  await type(page, 'Database', setting('POSTGRES_DATABASE'));
  await type(page, 'User', setting('POSTGRES_USER'));
  await type(page, 'Password', setting('POSTGRES_PASSWORD'));
  await press(page, page.getByLabel('Reach private addresses'), 'Space');
  await next(page, 'Test');
  await expect(page.getByText('Everything a run needs works.')).toBeVisible(SLOW);
  await next(page, 'Streams');

  await tabTo(page, page.getByLabel('Search by name'));
  await page.keyboard.type('wizard_keys');
  await press(page, page.getByRole('checkbox', { name: /wizard_keys/ }), 'Space');
  await expect(page.getByText('1 stream chosen')).toBeVisible();
  await next(page, 'Columns');

  await tabTo(page, page.getByRole('textbox', { name: 'Name of word in the table' }));
  await page.keyboard.type('key');
  await press(page, page.getByRole('button', { name: 'Show rows' }));
  await expect(page.getByRole('columnheader', { name: /key/ })).toBeVisible(SLOW);
  await next(page, 'Tables');

  // Among radios the arrows choose, as they do among a browser's own.
  await press(page, page.getByRole('radio', { name: 'BigQuery' }), 'Space');
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('radio', { name: 'Local warehouse' })).toBeChecked();
  await expect(page.getByRole('radio', { name: 'Local warehouse' })).toBeFocused();
  await tabTo(page, page.getByRole('radio', { name: 'Transactional' }));
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('radio', { name: 'Catalog' })).toBeChecked();
  await press(page, page.getByRole('button', { name: /^public\.wizard_keys/ }));
  await tabTo(page, page.getByRole('combobox', { name: 'Clustered by' }));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await next(page, 'Where it runs');
  await next(page, 'Schedule');

  await tabTo(page, page.getByRole('radio', { name: 'by hand only' }));
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('radio', { name: 'every hour' })).toBeChecked();
  await expect(page.getByText('What this means')).toBeVisible();
  await next(page, 'Notifications and checks');
  await press(page, page.getByRole('button', { name: 'Never NULL' }));
  await next(page, 'Review');

  await type(page, 'Name of the pipeline', 'By the keyboard');
  await expect(page.getByText(/^Table /).first()).toBeVisible(SLOW);
  await press(page, page.getByRole('button', { name: 'Create and run now' }));
  await page.waitForURL(/\/runs\//, SLOW);
  await expect(page.getByText('Succeeded').first()).toBeVisible(SLOW);
});
