// The real binary, on a free port, with its state in a temporary folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '../..');
const STARTS_WITHIN_MS = 120_000;

function needed(name: string, otherwise: string): string {
  const path = process.env[name] ?? join(ROOT, otherwise);
  if (!existsSync(path))
    throw new Error(`${path} is missing: run these tests with \`cargo xtask test\`, or build it (${name})`);
  return path;
}

export class Service {
  #process?: ChildProcess;
  #folder = mkdtempSync(join(tmpdir(), 'sluice-web-'));
  #listen = '127.0.0.1:0';
  origin = '';

  /** Starts it; once more on the same port, if it was started before. */
  async start(): Promise<void> {
    const args = ['serve', '--json', '--listen', this.#listen, '--data', join(this.#folder, 'data')];
    args.push('--connectors', needed('SLUICE_TEST_CONNECTORS', 'target/connectors'));
    args.push(
      '--folder',
      `samples=${join(ROOT, 'examples/demo/data')}`,
      '--allow-private-network',
      '--allow-endpoints',
    );
    const child = spawn(needed('SLUICE_TEST_BIN', 'target/debug/sluice'), args, {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    const said: string[] = [];
    await new Promise<void>((ready, failed) => {
      const late = setTimeout(
        () => failed(new Error(`the service is not ready:\n${said.join('\n')}`)),
        STARTS_WITHIN_MS,
      );
      child.once('exit', code => failed(new Error(`the service ended with ${code}:\n${said.join('\n')}`)));
      createInterface({ input: child.stderr }).on('line', line => {
        said.push(line);
        if (!line.includes('the service is ready')) return;
        const { fields } = JSON.parse(line) as { fields: { address: string; origin: string } };
        this.#listen = fields.address;
        this.origin = fields.origin;
        clearTimeout(late);
        ready();
      });
    });
  }

  /** The folder of a table of a tenant's local warehouse. */
  table(tenant: string, folder: string, table: string): string {
    return join(this.#folder, 'data/warehouse', tenant, folder, 'main', table);
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    const gone = new Promise(done => child.once('exit', done));
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
