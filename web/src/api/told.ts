// Server-sent events in the answer to a request of any method: EventSource, which `events.ts` follows, makes only GETs.

export interface Told {
  name: string;
  data: unknown;
}

/** The events of an answer as they come, wherever it is cut into pieces. */
export async function* told(body: ReadableStream<Uint8Array>): AsyncGenerator<Told> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (rest + value).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) {
        const read = readEvent(event);
        if (read) yield read;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** One event; lines that are for the connection only (comments) say nothing. */
function readEvent(text: string): Told | undefined {
  let name = 'message';
  const data: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('event:')) name = line.slice('event:'.length).trim();
    else if (line.startsWith('data:')) data.push(line.slice('data:'.length));
  }
  return data.length > 0 ? { name, data: JSON.parse(data.join('\n')) } : undefined;
}
