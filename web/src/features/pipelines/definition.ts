// The parts of a pipeline's definition that pages show. The whole of it is described in docs/running.md; what is not read here
// is kept as it is when a definition is changed.

export interface StreamDefinition {
  id: string;
  table?: string;
  load?: string;
  read?: 'full' | { incremental?: string };
  columns?: string[];
  rename?: Record<string, string>;
  cast?: Record<string, string | { to?: string; on_misfit?: string }>;
  on_misfit?: string;
  checks?: Record<string, unknown>[];
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
  schedule?: ScheduleDefinition | null;
  retry?: { max_attempts?: number; [other: string]: unknown } | null;
  notify?: { email?: string[]; webhook?: string; [other: string]: unknown }[] | null;
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
  const folder = typeof path === 'string' ? path : '';
  return [name, folder, place].filter(Boolean).join(' · ');
}

/** Whom a pipeline tells: addresses, and the hosts of webhooks. */
export function targetsOf(definition: Definition): string[] {
  const targets = (definition.notify ?? []).flatMap(rule => [
    ...(rule.email ?? []),
    ...(rule.webhook ? [hostOf(rule.webhook)] : []),
  ]);
  return [...new Set(targets)];
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : address;
}

/** How a stream is read: the column that new rows are known by, or nothing where everything is read. */
export function incrementalOf(stream: StreamDefinition): string | undefined {
  return typeof stream.read === 'object' && stream.read !== null ? stream.read.incremental : undefined;
}

export interface ColumnRule {
  column: string;
  renamed?: string;
  cast?: string;
  misfit?: string;
}

/** What a stream's definition says of single columns. */
export function columnRules(stream: StreamDefinition): ColumnRule[] {
  const names = new Set([
    ...(stream.columns ?? []),
    ...Object.keys(stream.rename ?? {}),
    ...Object.keys(stream.cast ?? {}),
  ]);
  return [...names].map(column => {
    const cast = stream.cast?.[column];
    const rule = typeof cast === 'string' ? { to: cast } : (cast ?? {});
    return {
      column,
      renamed: stream.rename?.[column],
      cast: rule.to,
      misfit: 'on_misfit' in rule ? rule.on_misfit : undefined,
    };
  });
}
