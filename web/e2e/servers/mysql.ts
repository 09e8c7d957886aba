// MySQL, through MariaDB's client.
import { execFileSync } from 'node:child_process';
import { setting } from './setting';

/** Runs SQL as the server's administrator. */
export function mysql(sql: string): void {
  const args = ['--no-defaults', '--user=root', '--default-character-set=utf8mb4', '--socket', setting('MYSQL_SOCKET')];
  execFileSync('mariadb', args, { input: sql, stdio: ['pipe', 'ignore', 'inherit'] });
}
