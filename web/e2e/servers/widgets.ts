// A connector of one's own, as an author makes it: written from the template, built, signed; and the API that it reads.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setting } from './setting';

/** What the template's API wants to be shown. */
export const API_KEY = 'fixture-key-1234';

export interface Widgets {
  component: string;
  signature: string;
  project: string;
}

export function widgets(): Widgets {
  const target = dirname(setting('CONNECTORS'));
  const project = join(target, 'template/widgets-for-the-console');
  const sluice = (...args: string[]) =>
    execFileSync(setting('BIN'), ['--json', 'connector', ...args], {
      cwd: project,
      env: { ...process.env, CARGO_TARGET_DIR: target },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  sluice('new', 'widgets', '--path', '.');
  const component = join(project, 'widgets.wasm');
  sluice('build', '--offline', '--out', component);
  sluice('keygen', 'author.key');
  sluice('sign', '--component', component, '--key', 'author.key');
  return { component, signature: `${component}.sig`, project };
}

/** The API that the template comes with, until it is stopped. */
export class Api {
  #process?: ChildProcess;

  /** Starts it; where it answers. */
  async start(project: string): Promise<string> {
    const child = spawn('python3', ['fixtures/api.py'], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout })) return line.trim();
    throw new Error('the template’s API has not started');
  }

  stop(): void {
    this.#process?.kill('SIGKILL');
  }
}
