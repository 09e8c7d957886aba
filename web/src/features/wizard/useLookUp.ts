// What is known of streams that were chosen earlier, perhaps on another machine: the source is asked for each by its name.
import { useEffect, useRef } from 'react';
import type { StreamView } from '~/api/schema.gen';
import type { Stream } from './draft';
import { readStreams } from './queries';
import type { Kept } from './useDraft';

/** Of more than these only those are looked up that somebody opens. */
const MOST = 30;

interface Wanted {
  tenant: string;
  id: string;
  kept: Kept;
  streams: Stream[];
  seen: ReadonlyMap<string, StreamView>;
  saw: (streams: StreamView[]) => void;
  wanted: boolean;
}

export function useLookUp({ tenant, id, kept, streams, seen, saw, wanted }: Wanted): void {
  const asked = useRef(new Set<string>());
  const { flush } = kept;
  const missing = wanted ? streams.slice(0, MOST).flatMap(one => (seen.has(one.id) ? [] : [one.id])) : [];
  const names = missing.join('\n');
  useEffect(() => {
    const fresh = names === '' ? [] : names.split('\n').filter(name => !asked.current.has(name));
    if (fresh.length === 0) return;
    for (const name of fresh) asked.current.add(name);
    void (async () => {
      try {
        await flush();
        for (const name of fresh) {
          const page = await readStreams(tenant, id, name);
          saw(page.items);
        }
      } catch {
        // The step for streams says what is wrong; here the columns are only not offered.
      }
    })();
  }, [names, tenant, id, flush, saw]);
}
