// What the wizard knows of a pipeline that is being set up, and what of it is ready. Nothing here is drawn or sent.
import type { DraftBody, DraftView, StreamView } from '~/api/schema.gen';
import type { Schema } from '~/ui/schema-form/model';
import { at, isObject, secretsOf, type Values, without } from '~/ui/schema-form/secrets';

export const STEPS = [
  'source',
  'configure',
  'test',
  'streams',
  'map',
  'load',
  'where',
  'schedule',
  'watch',
  'review',
] as const;

export type Step = (typeof STEPS)[number];

export interface Cast {
  to: string;
  on_misfit?: Misfit;
}

export type Misfit = 'fail' | 'set-null' | 'quarantine';

export interface Check {
  [rule: string]: unknown;
  level?: 'fail' | 'warn';
}

export interface Stream {
  id: string;
  table?: string;
  read?: 'full' | { incremental: string };
  load?: 'transactional' | 'catalog';
  columns?: string[];
  rename?: Record<string, string>;
  cast?: Record<string, Cast>;
  on_misfit?: Misfit;
  partition?: { column: string; unit?: string };
  cluster?: string[];
  checks?: Check[];
  /** A row restriction in the source's own language. */
  filter?: string;
  /** What happens to a file that was read and has changed. */
  changed_files?: string;
  [other: string]: unknown;
}

/** A window in which nothing starts: once between two moments, or every week between two times of the day. */
export interface Blackout {
  from: string;
  to: string;
  days?: string[];
  reason?: string;
}

export interface Schedule {
  cron: string;
  time_zone?: string;
  overlap?: string;
  catch_up?: string | { all: { max: number } };
  jitter_seconds?: number;
  blackouts?: Blackout[];
  [other: string]: unknown;
}

/** How often and how patiently a run is tried; what is left out is as usual. */
export interface Retry {
  max_attempts?: number;
  base_seconds?: number;
  factor?: number;
  cap_seconds?: number;
  jitter?: number;
}

export interface Notify {
  email?: string[];
  webhook?: string;
  on?: string[];
  [other: string]: unknown;
}

export interface Definition {
  streams: Stream[];
  sink?: { type: string; [other: string]: unknown };
  schedule?: Schedule;
  retry?: Retry;
  notify?: Notify[];
  [other: string]: unknown;
}

export interface Source {
  connector: string;
  name: string;
  /** With the secrets that were typed on this page; the others are the service's. */
  config: Values;
  grants: Grants;
}

export interface Grants {
  private_network?: boolean;
  folders?: Record<string, string>;
  google_identity?: boolean;
  google_token_endpoint?: string | null;
}

export interface Draft {
  name: string;
  step: Step;
  connection?: string;
  source?: Source;
  definition: Definition;
  enabled: boolean;
}

/** A draft as the service gave it. */
export function draftOf(view: DraftView): Draft {
  const definition = isObject(view.definition) ? view.definition : {};
  const { streams } = definition;
  return {
    name: view.name,
    step: STEPS.find(step => step === view.step) ?? 'source',
    connection: view.connection ?? undefined,
    source: view.source
      ? {
          connector: view.source.connector,
          name: view.source.name,
          config: isObject(view.source.config) ? view.source.config : {},
          grants: view.source.grants as Grants,
        }
      : undefined,
    definition: { ...definition, streams: Array.isArray(streams) ? (streams as Stream[]) : [] },
    enabled: view.enabled,
  };
}

/**
 * A draft as it is sent. Of the secrets that were typed, those that the service has already (`sent`, by place) are left out: what is left
 * out stays, and what is read from does not count as changed.
 */
export function bodyOf(draft: Draft, schema: Schema | undefined, sent: Readonly<Record<string, unknown>>): DraftBody {
  let config: unknown = draft.source?.config;
  for (const pointer of schema && draft.source ? secretsOf(schema, draft.source.config) : []) {
    if (pointer in sent && sent[pointer] === at(config, pointer)) config = without(config, pointer);
  }
  return {
    name: draft.name,
    step: draft.step,
    connection: draft.connection ?? null,
    source: draft.source ? { ...draft.source, config } : null,
    definition: draft.definition,
    enabled: draft.enabled,
  } as unknown as DraftBody;
}

/** The secrets that stand in a draft, by place: what the service has once they were sent. */
export function typedSecrets(draft: Draft, schema: Schema | undefined): Record<string, unknown> {
  const config = draft.source?.config;
  if (!schema || !config) return {};
  return Object.fromEntries(secretsOf(schema, config).map(pointer => [pointer, at(config, pointer)]));
}

/** What is known beside the draft itself. */
export interface Facts {
  /** What is wrong with the configuration; none for a connection that is there. */
  wrong: number;
}

/** Whether a step says all that has to be said. */
export function isDone(step: Step, draft: Draft, facts: Facts): boolean {
  switch (step) {
    case 'source':
      return draft.connection !== undefined || draft.source !== undefined;
    case 'configure':
      return draft.connection !== undefined || (draft.source?.name.trim() !== '' && facts.wrong === 0);
    case 'streams':
      return draft.definition.streams.length > 0;
    case 'load':
      return isPlaced(draft.definition);
    case 'review':
      return draft.name.trim() !== '';
    case 'schedule':
      return draft.definition.schedule === undefined || draft.definition.schedule.cron.trim() !== '';
    default:
      return true;
  }
}

/** Whether it is said where rows go. */
export function isPlaced({ sink }: Definition): boolean {
  if (!sink) return false;
  const said = (name: string) => typeof sink[name] === 'string' && sink[name] !== '';
  return sink.type === 'bigquery' ? said('project') && said('dataset') : sink.type === 'local' && said('path');
}

/** The steps that a draft has: who reads from a connection that is there has nothing to configure. */
export function stepsOf(draft: Draft): Step[] {
  return STEPS.filter(step => draft.connection === undefined || step !== 'configure');
}

/** The first step that is not done before this one; one may go no further than that. */
export function blockedAt(step: Step, draft: Draft, facts: Facts): Step | undefined {
  for (const before of stepsOf(draft)) {
    if (before === step) return undefined;
    if (!isDone(before, draft, facts)) return before;
  }
  return undefined;
}

/** How a stream is read and loaded, if nobody says otherwise. */
export function suggested(found: StreamView, canIncrement: boolean): Stream {
  const cursor = found.cursor_candidates[0];
  if (!canIncrement || (cursor === undefined && found.kind !== 'files')) return { id: found.id };
  return { id: found.id, read: { incremental: cursor ?? '' } };
}

export const cursorOf = (stream: Stream): string | undefined =>
  typeof stream.read === 'object' ? stream.read.incremental : undefined;

/** A stream with another strategy: a snapshot is read whole and partitioned by its day. */
export function withLoad(stream: Stream, load: 'transactional' | 'catalog'): Stream {
  const { partition, ...rest } = stream;
  if (load === 'transactional') return { ...stream, load: undefined };
  return withRead({ ...rest, load }, undefined);
}

/** A stream that is read by a cursor, or whole: then there is nothing to say of files that have changed. */
export function withRead(stream: Stream, cursor: string | undefined): Stream {
  if (cursor !== undefined) return { ...stream, read: { incremental: cursor } };
  return { ...stream, read: undefined, changed_files: undefined };
}

/** The columns of a stream that are loaded, by name at the source. */
export function columnsOf(stream: Stream, all: readonly string[]): string[] {
  return stream.columns && stream.columns.length > 0 ? stream.columns : [...all];
}

/** A stream that loads these columns; all of them is said by saying nothing, so that new ones come along. */
export function withColumns(stream: Stream, chosen: readonly string[], all: readonly string[]): Stream {
  const wanted = new Set(chosen);
  const ordered = all.filter(name => wanted.has(name));
  const keep = <T>(of: Record<string, T> | undefined) => {
    const left = Object.fromEntries(Object.entries(of ?? {}).filter(([name]) => wanted.has(name)));
    return Object.keys(left).length > 0 ? left : undefined;
  };
  return {
    ...stream,
    columns: ordered.length === all.length ? undefined : ordered,
    rename: keep(stream.rename),
    cast: keep(stream.cast),
  };
}

/** A record without a member, or with another value of it; none if nothing is left. */
export function withMember<T>(of: Record<string, T> | undefined, name: string, value: T | undefined) {
  const { [name]: _, ...rest } = of ?? {};
  const next = value === undefined ? rest : { ...rest, [name]: value };
  return Object.keys(next).length > 0 ? next : undefined;
}

export function sum(values: readonly (number | null | undefined)[]): number | undefined {
  let total = 0;
  for (const value of values) {
    if (value === null || value === undefined) return undefined;
    total += value;
  }
  return total;
}
