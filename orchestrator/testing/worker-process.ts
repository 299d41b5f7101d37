/** Runs a real worker as a child process, for tests that kill it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../../lib/common/root.ts';

const BIN = join(ROOT, 'cli/bigtrace.mjs');

export class WorkerProcess {
  readonly #traces: string;
  #child: ChildProcess | undefined;
  address = '127.0.0.1:0';

  constructor(traces: string) {
    this.#traces = traces;
  }

  /** Starts the worker; a restart uses the same port. */
  async start(): Promise<this> {
    const flags = ['--json', '-s', this.address, '--threads', '1', '--log-level', 'warn'];
    const child = spawn(process.execPath, [BIN, 'worker', ...flags, '--traces', this.#traces], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    const [line] = (await Promise.race([
      once(createInterface(child.stdout), 'line'),
      once(child, 'exit').then(() => Promise.reject(new Error('worker ended'))),
    ])) as [string];
    this.address = (JSON.parse(line) as { address: string }).address;
    return this;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}
