// The parts of a pipeline's definition that pages show. The whole of it is described in docs/running.md; what is not read here
// is kept as it is when a definition is changed.

export interface StreamDefinition {
  id: string;
  table?: string;
  read?: 'full' | { incremental?: string } | string | Record<string, unknown>;
  strategy?: string;
  columns?: string[];
  rename?: Record<string, string>;
  cast?: Record<string, unknown>;
  on_misfit?: string;
  checks?: unknown[];
  [other: string]: unknown;
}

export interface ScheduleDefinition {
  cron: string;
  time_zone?: string;
  enabled?: boolean;
  [other: string]: unknown;
}

export interface Definition {
  streams: StreamDefinition[];
  sink?: { type?: string; [other: string]: unknown };
  schedule?: ScheduleDefinition;
  [other: string]: unknown;
}

export function definitionOf(value: unknown): Definition {
  const given = typeof value === 'object' && value !== null ? (value as Partial<Definition>) : {};
  return { ...given, streams: Array.isArray(given.streams) ? given.streams : [] };
}

/** Where a pipeline loads to, in a few words. */
export function sinkOf(definition: Definition): string {
  const { type, project, dataset, path } = definition.sink ?? {};
  const place = [project, dataset].filter(part => typeof part === 'string').join('.');
  const name = type === 'bigquery' ? 'BigQuery' : type === 'local' ? 'Local' : String(type ?? '');
  return [name, place || (typeof path === 'string' ? path : '')].filter(Boolean).join(' · ');
}
