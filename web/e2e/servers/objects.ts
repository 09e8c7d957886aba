// Files in the object stores, each put there in the store's own way.
import { createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setting } from './setting';

async function send(url: string, init: RequestInit): Promise<void> {
  const response = await fetch(url, init);
  // A bucket may be there from a test before.
  if (!response.ok && response.status !== 409) throw new Error(`${url}: ${response.status} ${await response.text()}`);
}

/** An object of S3: a file in a bucket's folder. */
export function intoS3(bucket: string, key: string, content: string): void {
  const file = join(setting('S3_ROOT'), bucket, key);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

export async function intoGcs(bucket: string, key: string, content: string): Promise<void> {
  const endpoint = setting('GCS_ENDPOINT');
  const headers = { 'content-type': 'application/json' };
  await send(`${endpoint}/storage/v1/b?project=test-project`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: bucket }),
  });
  const place = `${endpoint}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(key)}`;
  await send(place, { method: 'POST', headers: { 'content-type': 'text/csv' }, body: content });
}

export async function intoAzure(container: string, key: string, content: string): Promise<void> {
  await toAzure(`/${container}`, { restype: 'container' });
  await toAzure(`/${container}/${key}`, {}, content);
}

/** A request that is signed with the account's key, as Azure wants it. */
async function toAzure(path: string, query: Record<string, string>, content?: string): Promise<void> {
  const account = setting('AZURE_ACCOUNT');
  const [version, date] = ['2021-12-02', new Date().toUTCString()];
  const about = { 'x-ms-date': date, 'x-ms-version': version };
  const headers = content === undefined ? about : { 'x-ms-blob-type': 'BlockBlob', ...about };
  const length = content === undefined ? '' : Buffer.byteLength(content);
  const type = content === undefined ? '' : 'text/csv';
  const signed = [
    `PUT\n\n\n${length}\n\n${type}\n\n\n\n\n\n`,
    ...Object.entries(headers).map(([name, value]) => `${name}:${value}`),
    [`/${account}/${account}${path}`, ...Object.entries(query).map(([name, value]) => `${name}:${value}`)].join('\n'),
  ].join('\n');
  const signature = createHmac('sha256', Buffer.from(setting('AZURE_KEY'), 'base64'))
    .update(signed)
    .digest('base64');
  await send(`${setting('AZURE_ENDPOINT')}/${account}${path}?${new URLSearchParams(query)}`, {
    method: 'PUT',
    headers: {
      ...headers,
      authorization: `SharedKey ${account}:${signature}`,
      ...(content === undefined ? {} : { 'content-type': type }),
    },
    body: content,
  });
}
