import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { arrived, expect, shown, test } from './test';

const COMPONENTS = process.env.SLUICE_TEST_CONNECTORS ?? join(import.meta.dirname, '../../target/connectors');

/** A connector of the tenant's own: one of the service's under another name of the same length. */
function uploaded(): Buffer {
  const bytes = readFileSync(join(COMPONENTS, 'files.wasm')).toString('latin1');
  return Buffer.from(bytes.replaceAll('"name":"files"', '"name":"filez"'), 'latin1');
}

/** A recording in which nothing happens. */
function recording(connector: string): Buffer {
  const header = { format: 1, connector, version: '1.0.0', digest: 'ab'.repeat(32), config: {} };
  return Buffer.from(`${JSON.stringify({ recording: header })}\n${JSON.stringify({ end: { lines: 2 } })}\n`);
}

test('a recording is kept, refused and deleted on the connector’s page', async ({ page, root, world }) => {
  test.slow();
  const versions = `${world.service.origin}/v1/tenants/${world.tenant}/connector-versions`;
  const own = { 'sec-fetch-site': 'same-origin' };
  const sent = await page.request.post(versions, {
    data: uploaded(),
    headers: { ...own, 'content-type': 'application/wasm' },
    timeout: 180_000,
  });
  expect(sent.status(), await sent.text()).toBe(201);
  const version = (await sent.json()) as { sha256: string; permissions_digest: string };
  const approved = await page.request.post(`${versions}/${version.sha256}/approve`, {
    data: { permissions: version.permissions_digest },
    headers: own,
  });
  expect(approved.status(), await approved.text()).toBe(200);

  await page.goto(`${root}/connectors/filez`);
  await arrived(page, /./);
  const panel = page.getByRole('region', { name: 'Recordings' }).first();
  await expect(panel.getByText('No recording is kept.')).toBeVisible();
  const file = panel.locator('input[type=file]');
  await file.setInputFiles({ name: 'other.jsonl', mimeType: 'application/x-ndjson', buffer: recording('files') });
  await expect(panel.getByText('it is a recording of the connector files, not of filez')).toBeVisible();
  await file.setInputFiles({ name: 'orders.jsonl', mimeType: 'application/x-ndjson', buffer: recording('filez') });
  await expect(panel.getByRole('cell', { name: 'orders', exact: true })).toBeVisible();
  await shown(page, 'recordings');
  const waiting = page.waitForEvent('download');
  await panel.getByRole('link', { name: 'Download orders' }).click();
  expect((await waiting).suggestedFilename()).toBe('orders.jsonl');
  await panel.getByRole('button', { name: 'Delete orders' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(panel.getByText('No recording is kept.')).toBeVisible();
});
