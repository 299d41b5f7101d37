/** Runs a service of Bigtrace as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { BigtraceError } from '../../../lib/common/errors.ts';
import { PROGRAM } from '../../paths.ts';
import { LastLines } from './last-lines.ts';
import type { Ping } from './liveness.ts';
import type { LogFile } from './log-file.ts';
import { type Exit, exitText, type RunningService } from './system-process.ts';

const START_MS_MAX = 60_000;

const READY_CHARS_MAX = 10_000;

/**
 * Time for a graceful stop. It is short, because the clients of a service are stopped before it, so nothing waits for
 * its drain.
 */
const STOP_MS_MAX = 3_000;

/**
 * Settings of glibc's malloc; other C libraries ignore them. By default each thread gets an arena that keeps freed
 * memory: after 1,000 queries, a worker kept 450-600 MiB beyond its engines' memory, and 150-180 MiB with these settings
 * (memory.ci-test.ts). Thresholds of 256 KiB and 1 MiB leave 80-100 MiB, but cost row rate (docs/PERFORMANCE.md). The same
 * values are in containers/Dockerfile.
 */
const MALLOC_SETTINGS = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_MMAP_THRESHOLD_: '4194304',
  MALLOC_TRIM_THRESHOLD_: '16777216',
};

export interface ServiceProcess {
  name: string;
  /** Arguments of `bigtrace`: the service's command and its flags, including `--json`. */
  args: string[];
  log: LogFile;
  signal: AbortSignal;
  /** Returns the ping of the service at `host:port`. */
  ping: (address: string) => Ping;
}

/**
 * Starts the service and resolves when it reports that it is ready.
 * @throws internal with the last lines of its output; cancelled if the signal is aborted
 */
export async function startService(service: ServiceProcess): Promise<RunningService<string>> {
  const child = spawn(process.execPath, [PROGRAM, ...service.args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'], // the IPC channel ends the service when its parent dies
    env: { ...MALLOC_SETTINGS, ...process.env },
    detached: true, // Ctrl-C reaches only `bigtrace up`, which stops the services in order
  });
  const lastLines = new LastLines();
  child.stderr?.on('data', (chunk: Buffer) => {
    service.log.write(chunk);
    lastLines.add(chunk.toString());
  });
  const exited = exitOf(child, lastLines);
  try {
    const address = await Promise.race([
      readyAddress(child, service),
      exited.then(({ reason, lastLines: lines }) => {
        throw new BigtraceError(
          'internal',
          `${service.name} did not start (${reason}): ${lines.join('\n')}`,
        );
      }),
    ]);
    return {
      pid: child.pid ?? 0,
      address,
      exited,
      ping: service.ping(address),
      kill: () => child.kill('SIGKILL'),
      stop: () => stop(child, exited),
    };
  } catch (thrown) {
    child.kill('SIGKILL');
    await exited;
    throw thrown;
  }
}

/** Reads the service's line on stdout: `{service, address, pid}`. */
async function readyAddress(
  child: ChildProcess,
  { name, signal }: ServiceProcess,
): Promise<string> {
  const timeout = AbortSignal.timeout(START_MS_MAX);
  const line = new Promise<string>((resolve) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(0, READY_CHARS_MAX);
      if (text.includes('\n')) resolve(text);
    });
  });
  const stopped = AbortSignal.any([signal, timeout]);
  const aborted = once(stopped, 'abort').then(() => {
    if (signal.aborted)
      throw new BigtraceError('cancelled', 'stopped before all services were ready');
    throw new BigtraceError('internal', `${name} was not ready after ${START_MS_MAX / 1000} s`);
  });
  return (JSON.parse(await Promise.race([line, aborted])) as { address: string }).address;
}

async function exitOf(child: ChildProcess, lastLines: LastLines): Promise<Exit> {
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('close', (...reason) => resolve(reason)); // emitted after all of stderr was read
    child.on('error', () => child.pid ?? resolve([null, null])); // the process was never started
  });
  return { reason: exitText(code, signal), lastLines: lastLines.lines };
}

async function stop(child: ChildProcess, exited: Promise<Exit>): Promise<void> {
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await exited;
  clearTimeout(killer);
}
