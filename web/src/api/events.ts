// Server-sent events, followed over lost connections. The browser's own EventSource asks again by itself as long as the
// connection breaks; where it gives up (an answer that is no stream), this begins a new one, ever more slowly.

export type Connection = 'connecting' | 'live' | 'lost' | 'ended';

export interface Following {
  /** One function for each name of an event; it gets the event's data, parsed. Returning 'end' ends the following. */
  on: Record<string, (data: unknown) => 'end' | undefined>;
  connection: (state: Connection) => void;
}

const FIRST_MS = 1_000;
const LONGEST_MS = 20_000;

/** Follows until one of the handlers says that it is over, or the function that is returned is called. */
export function follow(path: string, following: Following, open = (at: string) => new EventSource(at)): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = FIRST_MS;
  let over = false;

  const stop = () => {
    over = true;
    source?.close();
    clearTimeout(timer);
  };
  const begin = () => {
    source = open(path);
    source.onopen = () => {
      wait = FIRST_MS;
      following.connection('live');
    };
    source.onerror = () => {
      if (over) return;
      following.connection('lost');
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(begin, wait);
      wait = Math.min(wait * 2, LONGEST_MS);
    };
    for (const [name, handle] of Object.entries(following.on)) {
      source.addEventListener(name, event => {
        if (!over && handle(JSON.parse((event as MessageEvent<string>).data)) === 'end') {
          stop();
          following.connection('ended');
        }
      });
    }
  };
  following.connection('connecting');
  begin();
  return stop;
}
