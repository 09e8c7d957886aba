// A table of a local warehouse, read with DuckDB and nothing of Sluice's own.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { setting } from './setting';

const PROGRAM = `
import duckdb, json, sys
files, query = json.loads(sys.argv[1]), sys.argv[2]
rows = duckdb.read_parquet(files, union_by_name=True, hive_partitioning=True)
print(json.dumps(duckdb.sql(query).fetchall(), default=str))
`;

/** The files of a table that are visible: names that begin with `_` or `.` are passed over. */
function visible(table: string): string[] {
  const files = readdirSync(table, { recursive: true, encoding: 'utf8' });
  return files
    .filter(file => file.endsWith('.parquet') && !file.split(sep).some(part => /^[_.]/.test(part)))
    .map(file => join(table, file));
}

/** Queries a table of a warehouse, which is called `rows`; what JSON has no word for comes as a text. */
export function loaded(table: string, query: string): unknown[][] {
  const args = ['-c', PROGRAM, JSON.stringify(visible(table)), query];
  return JSON.parse(execFileSync(setting('DUCKDB_PYTHON'), args, { encoding: 'utf8' }));
}
