import { afterEach, expect, test, vi } from 'vitest';
import { type Connection, follow } from './events';

class Source {
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  handlers = new Map<string, (event: { data: string }) => void>();
  closed = false;
  addEventListener(name: string, handle: (event: { data: string }) => void): void {
    this.handlers.set(name, handle);
  }
  close(): void {
    this.closed = true;
  }
}

function started() {
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', { CLOSED: 2 });
  const sources: Source[] = [];
  const states: Connection[] = [];
  const stop = follow(
    '/events',
    {
      on: { state: data => ((data as { state: string }).state === 'succeeded' ? 'end' : undefined) },
      connection: state => states.push(state),
    },
    () => {
      const source = new Source();
      sources.push(source);
      return source as unknown as EventSource;
    },
  );
  return { sources, states, stop };
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('events are followed to the one that ends them', () => {
  const { sources, states } = started();
  sources[0]?.onopen?.();
  sources[0]?.handlers.get('state')?.({ data: '{"state":"running"}' });
  sources[0]?.handlers.get('state')?.({ data: '{"state":"succeeded"}' });
  expect(states).toEqual(['connecting', 'live', 'ended']);
  expect(sources[0]?.closed).toBe(true);
});

test('a connection that breaks is left to the browser, one that it gives up is begun anew', () => {
  const { sources, states } = started();
  const [source] = sources;
  source?.onerror?.();
  expect(sources.length).toBe(1);
  if (source) source.readyState = 2;
  source?.onerror?.();
  vi.advanceTimersByTime(1_000);
  expect(sources.length).toBe(2);
  sources[1]?.onopen?.();
  expect(states).toEqual(['connecting', 'lost', 'lost', 'live']);
});

test('nothing is followed any more once it was stopped', () => {
  const { sources, states, stop } = started();
  stop();
  sources[0]?.onerror?.();
  vi.advanceTimersByTime(60_000);
  expect([sources.length, states]).toEqual([1, ['connecting']]);
});
