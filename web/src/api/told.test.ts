import { expect, test } from 'vitest';
import { type Told, told } from './told';

function cut(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
}

async function all(body: ReadableStream<Uint8Array>): Promise<Told[]> {
  const events: Told[] = [];
  for await (const event of told(body)) events.push(event);
  return events;
}

test('events are told wherever the answer is cut, without what only keeps the connection', async () => {
  const text = ':\n\nevent: step\ndata: {"name":"größe"}\n\n:\n\nevent: end\ndata: {"passed":true}\n\n';
  for (const size of [1, 3, 7, 1_000]) {
    expect(await all(cut(text, size))).toEqual([
      { name: 'step', data: { name: 'größe' } },
      { name: 'end', data: { passed: true } },
    ]);
  }
});

test('what breaks off within an event is not told', async () => {
  expect(await all(cut('event: step\ndata: {"name":', 5))).toEqual([]);
});
