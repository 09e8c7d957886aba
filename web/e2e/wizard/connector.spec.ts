// A connector of one's own: uploaded, looked at, approved, and used in the wizard like any other.
import { readFileSync } from 'node:fs';
import { loaded } from '../servers/parquet';
import { API_KEY, Api, widgets } from '../servers/widgets';
import { arrived, expect, type Page, shown, test } from '../test';
import { SLOW, Walk } from './walk';

test.describe.configure({ timeout: 300_000 });

/** Drops a file onto the page's place for it, as a person's mouse does. */
async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  const files = await page.evaluateHandle(
    ([called, base64]) => {
      const content = Uint8Array.from(atob(base64 as string), letter => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([content], called as string, { type: 'application/wasm' }));
      return transfer;
    },
    [name, bytes.toString('base64')] as const,
  );
  const place = page.getByRole('region', { name: 'Drop a component here' });
  await place.dispatchEvent('dragover', { dataTransfer: files });
  await place.dispatchEvent('drop', { dataTransfer: files });
}

test('a connector of one’s own goes from its file to rows in a table', async ({ page, root, world }) => {
  const { component, signature, project } = widgets();
  const api = new Api();
  try {
    const url = await api.start(project);
    await page.goto(`${root}/connectors`);
    await arrived(page, 'Connectors');
    await page.getByRole('button', { name: 'Upload a connector' }).click();
    const dialog = page.getByRole('dialog');
    await shown(page, 'upload');

    // What is no component is refused with what was found in it, and keeps nobody from trying another file.
    await drop(page, 'notes.txt', Buffer.from('no component'));
    await expect(dialog.getByText('This is no .wasm file.')).toBeVisible();
    await drop(page, 'broken.wasm', Buffer.from('no component'));
    await expect(dialog.getByText(/not a valid WebAssembly component/).first()).toBeVisible(SLOW);
    await shown(page, 'upload-refused');

    await dialog.locator('input[type=file][accept=".sig"]').setInputFiles(signature);
    await drop(page, 'widgets.wasm', readFileSync(component));
    await arrived(page, 'widgets 0.1.0');
    await expect(page.getByText('To be decided')).toBeVisible();
    await expect(page.getByText('Not signed')).toHaveCount(0);
    await shown(page, 'upload-report');

    // Nothing uses it before somebody has approved what it asks for.
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await expect(page.getByText('The version is installed.')).toBeVisible(SLOW);
    await expect(page.getByText('Installed', { exact: true })).toBeVisible();

    const walk = await Walk.begin(page, root);
    await walk.choose('Widgets');
    await walk.fill({ URL: url, 'API key': API_KEY });
    await walk.reachPrivateAddresses();
    await walk.passTheTest();
    await walk.pick('orders');
    await walk.loadIntoWarehouse('widgets');
    await walk.createAndRun('Orders of our own API');
    const rows = loaded(
      world.service.table(world.tenant, 'widgets', 'orders'),
      'SELECT count(*), sum(id), sum(total)::VARCHAR, min(customer) FROM rows',
    );
    expect(rows).toEqual([[500, 124_750, '155937.50', 'Customer 0']]);
  } finally {
    api.stop();
  }
});
