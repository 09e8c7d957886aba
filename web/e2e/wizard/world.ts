// The real binary on an empty state file, with one person who owns a tenant, and a source with known rows.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '../../..');
export const EMAIL = 'ada@example.com';
export const PASSWORD = 'four words nobody says';
const STARTING_MS = 60_000;

export function setting(name: string): string {
  const value = process.env[`SLUICE_TEST_${name}`];
  if (!value)
    throw new Error(`SLUICE_TEST_${name} is not set: run \`cargo xtask test\`, or \`cargo xtask services up\``);
  return value;
}

export class World {
  private constructor(
    readonly origin: string,
    readonly tenant: string,
    private readonly service: ChildProcess,
    private readonly folder: string,
  ) {}

  /** Starts the service, and waits until it answers. */
  static async start(): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-wizard-'));
    const [data, lake] = [join(folder, 'data'), join(folder, 'lake')];
    mkdirSync(lake);
    writeFileSync(join(lake, 'orders.csv'), 'id,order no,amount\n1,007,1.5\n2,n/a,2.25\n3,12,3\n');
    const binary = process.env.SLUICE_BINARY ?? join(ROOT, 'target/debug/sluice');
    const made = execFileSync(binary, ['admin', '--data', data, '--email', EMAIL, '--tenant', 'Sales'], {
      input: `${PASSWORD}\n`,
      encoding: 'utf8',
    });
    const tenant = /\(([0-9a-f-]+)\)/.exec(made)?.[1] ?? '';
    const port = String(await freePort());
    // Cookies that only travel encrypted are kept for this name all the same.
    const origin = `http://localhost:${port}`;
    const service = spawn(
      binary,
      [
        ...['serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--origin', origin],
        ...['--allow-private-network', '--allow-endpoints', '--folder', `lake=${lake}`],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const said: string[] = [];
    if (service.stderr) createInterface(service.stderr).on('line', line => said.push(line));
    const world = new World(origin, tenant, service, folder);
    const until = Date.now() + STARTING_MS;
    while (Date.now() < until) {
      const ready = await fetch(`${origin}/ready`).catch(() => undefined);
      if (ready?.ok) return world;
      await new Promise(done => setTimeout(done, 100));
    }
    world.stop();
    throw new Error(`the service did not start:\n${said.join('\n')}`);
  }

  stop(): void {
    this.service.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return await new Promise((found, failed) => {
    const server = createServer();
    server.on('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => found(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** Runs SQL on the test server, as its superuser. */
export function sql(text: string): void {
  execFileSync('psql', ['-v', 'ON_ERROR_STOP=1', '-q', '-c', text], {
    env: {
      ...process.env,
      PGHOST: setting('POSTGRES_HOST'),
      PGPORT: setting('POSTGRES_PORT'),
      PGUSER: setting('POSTGRES_USER'),
      PGPASSWORD: setting('POSTGRES_PASSWORD'),
      PGDATABASE: setting('POSTGRES_DATABASE'),
    },
  });
}
