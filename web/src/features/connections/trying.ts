// Trying a connection, as far as it is: what the host knows while the connector works, then the connector's own steps.
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError, answer, api } from '~/api/client';
import { type ProblemName, unreachable } from '~/api/problem';
import type { CheckView, ConnectionBody, PhaseView, Problem, StepView } from '~/api/schema.gen';
import { type Told, told } from '~/api/told';

export interface Trying {
  /** `asked` until a worker has begun. */
  phase: 'asked' | 'loading' | 'begun';
  /** Hosts that the connector has asked for, in that order. */
  hosts: string[];
  steps: StepView[];
  /** When it was begun, by this machine's clock. */
  since: number;
  result?: CheckView;
  error?: unknown;
  /** Ended by who had asked for it. */
  cancelled?: boolean;
}

export const begun = (since: number): Trying => ({ phase: 'asked', hosts: [], steps: [], since });

export const isOver = ({ result, error, cancelled }: Trying): boolean =>
  result !== undefined || error !== undefined || cancelled === true;

/** What is known after one thing more was told. */
export function after(trying: Trying, { name, data }: Told): Trying {
  switch (name) {
    case 'phase': {
      const { phase, host, port } = data as PhaseView;
      if (phase === 'loading' || phase === 'begun') return { ...trying, phase };
      return { ...trying, hosts: [...trying.hosts, `${host}:${port}`] };
    }
    case 'step':
      return { ...trying, steps: [...trying.steps, data as StepView] };
    case 'end':
      return { ...trying, result: data as CheckView };
    case 'problem': {
      const problem = data as Problem;
      return { ...trying, error: new ApiError(problem.type.split(':').at(-1) as ProblemName, problem) };
    }
    default:
      return trying;
  }
}

type Ask = (signal: AbortSignal) => Promise<ReadableStream<Uint8Array> | null>;

export interface Tries {
  trying: Trying | undefined;
  begin: () => void;
  cancel: () => void;
}

/** One try at a time; the one before is ended when another begins, and with the page. */
export function useTrying(ask: Ask): Tries {
  const [trying, setTrying] = useState<Trying>();
  const current = useRef<AbortController>(undefined);
  const asking = useRef(ask);
  asking.current = ask;

  const begin = useCallback(() => {
    current.current?.abort();
    const own = new AbortController();
    current.current = own;
    setTrying(begun(Date.now()));
    const change = (how: (trying: Trying) => Trying) => {
      if (!own.signal.aborted) setTrying(now => now && how(now));
    };
    void (async () => {
      try {
        const body = await asking.current(own.signal);
        if (body) for await (const event of told(body)) change(now => after(now, event));
        change(now => (isOver(now) ? now : { ...now, error: unreachable(new Error('')) }));
      } catch (error) {
        change(now => ({ ...now, error: error instanceof ApiError ? error : unreachable(error) }));
      }
    })();
  }, []);
  const cancel = useCallback(() => {
    current.current?.abort();
    setTrying(now => now && { ...now, cancelled: true });
  }, []);
  useEffect(() => () => current.current?.abort(), []);
  return { trying, begin, cancel };
}

/** Asks for what is told while it is done. */
const AS_EVENTS = { parseAs: 'stream', headers: { Accept: 'text/event-stream' } } as const;

export const tryConnection =
  (tenant: string, connection: string): Ask =>
  signal =>
    answer(
      api.POST('/v1/tenants/{tenant}/connections/{connection}/check', {
        params: { path: { tenant, connection } },
        ...AS_EVENTS,
        signal,
      }),
    );

export const tryUnsaved =
  (tenant: string, body: ConnectionBody): Ask =>
  signal =>
    answer(
      api.POST('/v1/tenants/{tenant}/connections/check', { params: { path: { tenant } }, body, ...AS_EVENTS, signal }),
    );

export const tryDraft =
  (tenant: string, draft: string, first: () => Promise<void>): Ask =>
  async signal => {
    await first();
    return answer(
      api.POST('/v1/tenants/{tenant}/drafts/{draft}/check', {
        params: { path: { tenant, draft } },
        ...AS_EVENTS,
        signal,
      }),
    );
  };
