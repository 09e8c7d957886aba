// Keeping a draft: every change is on the page at once and on the service a moment later, one request at a time.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { ApiError } from '~/api/problem';
import { reachability } from '~/api/reachability';
import type { DraftView } from '~/api/schema.gen';
import type { Schema } from '~/ui/schema-form/model';
import { bodyOf, type Draft, draftOf, typedSecrets } from './draft';
import { keepDraft } from './queries';

const PAUSE_MS = 700;

export type Keeping = 'kept' | 'changed' | 'keeping' | 'failed' | 'elsewhere';

export interface Kept {
  draft: Draft;
  change: (how: (draft: Draft) => Draft) => void;
  /** Keeps what is not kept yet; what asks the service about the draft waits for it. */
  flush: () => Promise<void>;
  keeping: Keeping;
  problem: unknown;
  /** The places of secrets that the service has. */
  secrets: string[];
  /** Where those of them are that are kept elsewhere, by place. */
  references: Record<string, string>;
  revision: () => number;
}

const referencesOf = (view: DraftView) => (view.source?.references ?? {}) as Record<string, string>;

export function useDraft(tenant: string, view: DraftView, schemaOf: (connector: string) => Schema | undefined): Kept {
  const [draft, setDraft] = useState(() => draftOf(view));
  const [keeping, setKeeping] = useState<Keeping>('kept');
  const [problem, setProblem] = useState<unknown>(null);
  const [secrets, setSecrets] = useState<string[]>(view.source?.secrets ?? []);
  const [references, setReferences] = useState(referencesOf(view));
  const now = useRef(draft);
  const revision = useRef(view.revision);
  const sent = useRef<Record<string, unknown>>({});
  const dirty = useRef(false);
  const going = useRef<Promise<void> | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const schemas = useRef(schemaOf);
  schemas.current = schemaOf;

  const send = useCallback(async () => {
    while (dirty.current) {
      dirty.current = false;
      setKeeping('keeping');
      const body = now.current;
      const schema = body.source ? schemas.current(body.source.connector) : undefined;
      try {
        const kept = await keepDraft(tenant, view.id, revision.current, bodyOf(body, schema, sent.current));
        revision.current = kept.revision;
        const has = kept.source?.secrets ?? [];
        const typed = Object.entries(typedSecrets(body, schema));
        sent.current = Object.fromEntries(typed.filter(([pointer]) => has.includes(pointer)));
        // The service forgets secrets that would go to another host; what still stands in the form is sent again.
        if (typed.some(([pointer, value]) => value !== null && !has.includes(pointer))) dirty.current = true;
        setSecrets(has);
        setReferences(referencesOf(kept));
        setProblem(null);
        setKeeping(dirty.current ? 'changed' : 'kept');
      } catch (error) {
        dirty.current = true;
        setProblem(error);
        setKeeping(error instanceof ApiError && error.kind === 'conflict' ? 'elsewhere' : 'failed');
        throw error;
      }
    }
  }, [tenant, view.id]);

  const flush = useCallback(async () => {
    clearTimeout(timer.current);
    if (going.current) await going.current.catch(() => undefined);
    if (!dirty.current) return;
    going.current = send().finally(() => {
      going.current = null;
    });
    await going.current;
  }, [send]);

  const change = useCallback(
    (how: (draft: Draft) => Draft) => {
      now.current = how(now.current);
      dirty.current = true;
      setDraft(now.current);
      setKeeping('changed');
      clearTimeout(timer.current);
      timer.current = setTimeout(() => void flush().catch(() => undefined), PAUSE_MS);
    },
    [flush],
  );

  useEffect(() => {
    const leaving = () => {
      if (document.visibilityState === 'hidden') void flush().catch(() => undefined);
    };
    const warn = (event: BeforeUnloadEvent) => {
      if (dirty.current || going.current) {
        void flush().catch(() => undefined);
        event.preventDefault();
      }
    };
    // What could not be kept while the service was away is kept as soon as it is back.
    const back = reachability.subscribe(() => {
      if (reachability.answers) void flush().catch(() => undefined);
    });
    document.addEventListener('visibilitychange', leaving);
    window.addEventListener('beforeunload', warn);
    return () => {
      back();
      document.removeEventListener('visibilitychange', leaving);
      window.removeEventListener('beforeunload', warn);
      void flush().catch(() => undefined);
    };
  }, [flush]);

  const revisionNow = useMemo(() => () => revision.current, []);
  return { draft, change, flush, keeping, problem, secrets, references, revision: revisionNow };
}
