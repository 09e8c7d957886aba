// PostgreSQL, through its own client.
import { execFileSync } from 'node:child_process';
import { setting } from './setting';

/** Runs SQL as the server's superuser; statements that end with `\gexec` run what they return. What is returned has a line for each row. */
export function postgres(sql: string, database = setting('POSTGRES_DATABASE')): string {
  const env = {
    ...process.env,
    PGHOST: setting('POSTGRES_HOST'),
    PGPORT: setting('POSTGRES_PORT'),
    PGUSER: setting('POSTGRES_USER'),
    PGPASSWORD: setting('POSTGRES_PASSWORD'),
    PGDATABASE: database,
    PGOPTIONS: '-c client_min_messages=warning',
  };
  const args = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set', 'ON_ERROR_STOP=1', '--file', '-'];
  return execFileSync('psql', args, { env, input: sql, encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'] }).trim();
}
