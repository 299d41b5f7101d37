/**
 * Starts real systems for tests: `bigtrace up` on free ports with its own data directory. Stopping one fails the test
 * if a process or a listening port of it is left.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../../lib/common/root.ts';
import { type Resident, startResident, usesResidentBridge } from './resident/resident.ts';

const BIN = join(ROOT, 'cli/bigtrace.mjs');

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 20_000;

export interface SystemOptions {
  /** Root of `/local`; by default the samples. */
  traces?: string;
  workers?: number;
  threads?: number;
  /** Data directory, which is kept. Default: a new directory, which is removed when the system stops. */
  dataDir?: string;
  env?: Record<string, string>;
  /** Further flags of `bigtrace up`. */
  flags?: string[];
  /** The `bigtrace` program; by default the one of this checkout. */
  program?: string;
  /** Whether `sql` and clients reach a ClickHouse of somebody else, with the resident bridge. */
  resident?: boolean;
}

export interface System extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  clickhouseHttp: string;
  /** `127.0.0.1:PORT` */
  clickhouseTcp: string;
  orchestrator: string;
  /** `http://127.0.0.1:PORT` of the HTTP backend. */
  http: string;
  workers: string[];
  dataDir: string;
  /** Process ID of `bigtrace up`. */
  pid: number;
  /** The services at the start; a restarted process has another process ID. */
  processes: { name: string; pid: number }[];
  adminPassword: string;
  analystPassword: string;
  /** Logins of the ClickHouse of `bigtrace up`, which the HTTP backend uses; others may be those of `resident`. */
  embedded: Logins;
  /** The resident bridge, with the option `resident`. */
  resident: Resident | undefined;
  /** Returns the stderr of `bigtrace up` so far. */
  stderr(): string;
  /** Closes the pipes that read stdout and stderr of `bigtrace up`. */
  loseOutput(): void;
  /**
   * Waits until the stderr of `bigtrace up` matches the pattern.
   * @throws if that takes more than 60 s
   */
  logged(pattern: RegExp): Promise<void>;
  /** Runs a query in ClickHouse over HTTP; rejects with the text of ClickHouse's error. */
  sql(query: string, options?: SqlOptions): Promise<string>;
  /** Stops the system with SIGTERM and checks that no process and no listening port is left. */
  stop(): Promise<void>;
}

export type Logins = Pick<System, 'clickhouseHttp' | 'adminPassword' | 'analystPassword'>;

export interface SqlOptions {
  /** Default: `analyst`. */
  user?: 'admin' | 'analyst';
  settings?: Record<string, string>;
  signal?: AbortSignal;
}

export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'bigtrace-e2e-'));
  const program = options.program ?? BIN;
  const child = spawn(process.execPath, [program, 'up', '--json', ...flagsOf(options, dataDir)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  // A test run that ends early must not leave the system running.
  const end = (): boolean => child.kill('SIGTERM');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ready = await readyLine(child, () => stderr);
  const ofEmbedded = {
    clickhouseHttp: ready.clickhouseHttp,
    ...passwords(ready, options.env ?? {}),
  };
  const system: System = {
    ...ready,
    ...ofEmbedded,
    embedded: ofEmbedded,
    resident: undefined,
    stderr: () => stderr,
    loseOutput: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    logged: (pattern) => logged(child, pattern, () => stderr),
    sql: (query, options) => runInClickHouse(system, query, options),
    stop: async () => {
      await system.resident?.stop();
      await stop(child, system, options.dataDir === undefined, () => stderr);
    },
    [Symbol.asyncDispose]: () => system.stop(),
  };
  if (!(options.resident ?? usesResidentBridge())) return system;
  const resident = await startResident(ready.orchestrator).catch(async (error: unknown) => {
    await system.stop();
    throw error;
  });
  return Object.assign(system, loginsOf(resident), { resident });
}

function loginsOf(resident: Resident): Logins & Pick<System, 'clickhouseTcp'> {
  const { clickhouseHttp, clickhouseTcp, adminPassword, analystPassword } = resident;
  return { clickhouseHttp, clickhouseTcp, adminPassword, analystPassword };
}

function flagsOf(
  { traces, workers, threads, flags = [] }: SystemOptions,
  dataDir: string,
): string[] {
  const ports = ['clickhouse-http', 'clickhouse-tcp', 'orchestrator', 'http', 'worker'];
  const pathFlags = Object.entries({
    '--traces': traces,
    '--workers': workers,
    '--threads': threads,
  });
  return [
    ...['--data-dir', dataDir],
    ...ports.flatMap((name) => [`--${name}-port`, '0']),
    ...pathFlags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)])),
    ...flags,
  ];
}

type Ready = Pick<
  System,
  | 'clickhouseHttp'
  | 'clickhouseTcp'
  | 'orchestrator'
  | 'http'
  | 'workers'
  | 'dataDir'
  | 'pid'
  | 'processes'
> & { passwordFiles: { admin?: string; analyst?: string } };

async function readyLine(child: ChildProcess, stderr: () => string): Promise<Ready> {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const giveUp = performance.now() + START_MS_MAX;
  while (!text.includes('\n')) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > giveUp) {
      child.kill('SIGKILL');
      throw new Error(`bigtrace up did not come up:\n${stderr()}`);
    }
    await sleep(20);
  }
  return JSON.parse(text) as Ready;
}

function passwords(
  { passwordFiles }: Ready,
  env: Record<string, string>,
): Pick<System, 'adminPassword' | 'analystPassword'> {
  const read = (file: string | undefined): string =>
    file === undefined ? '' : readFileSync(file, 'utf8').trim();
  return {
    adminPassword: env['BIGTRACE_ADMIN_PASSWORD'] ?? read(passwordFiles.admin),
    analystPassword: env['BIGTRACE_ANALYST_PASSWORD'] ?? read(passwordFiles.analyst),
  };
}

async function logged(child: ChildProcess, pattern: RegExp, stderr: () => string): Promise<void> {
  const timeout = AbortSignal.timeout(START_MS_MAX);
  while (!pattern.test(stderr())) {
    if (child.stderr === null) throw new Error('no stderr');
    await once(child.stderr, 'data', { signal: timeout }).catch(() => {
      throw new Error(`bigtrace up never said ${pattern}:\n${stderr()}`);
    });
  }
}

/**
 * Runs a query over HTTP; rejects with the text of ClickHouse's error. It does not use `fetch`: reading the body may never
 * end when the signal is aborted meanwhile (nodejs/node#56917, in Node 20 to 23).
 */
export async function runInClickHouse(
  system: Logins,
  query: string,
  { user = 'analyst', settings = {}, signal }: SqlOptions = {},
): Promise<string> {
  const passwordOf = { admin: system.adminPassword, analyst: system.analystPassword };
  const asked = request(`${system.clickhouseHttp}/?${new URLSearchParams(settings)}`, {
    method: 'POST',
    headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': passwordOf[user] },
    ...(signal === undefined ? {} : { signal }),
  });
  asked.end(query);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const body = await text(response);
  if (response.statusCode !== 200) throw new Error(body.trim());
  return body;
}

async function stop(
  child: ChildProcess,
  system: System,
  removeData: boolean,
  stderr: () => string,
): Promise<void> {
  const family = descendants(system.pid);
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit', { signal: AbortSignal.timeout(STOP_MS_MAX) });
    child.kill('SIGTERM');
    await gone.catch(() => {
      child.kill('SIGKILL');
      throw new Error(`bigtrace up did not stop within ${STOP_MS_MAX} ms:\n${stderr()}`);
    });
  }
  // Bridges notice the end of ClickHouse by their closed pipes, so they end a moment later.
  await gone(family).catch((error: unknown) => {
    for (const pid of family.filter(isAlive)) process.kill(pid, 'SIGKILL');
    throw new Error(`processes are left: ${error}\n${stderr()}`);
  });
  const addresses = [system.orchestrator, ...system.workers, system.clickhouseTcp];
  const urls = [system.clickhouseHttp, system.http].map((url) => new URL(url).host);
  for (const address of [...addresses, ...urls])
    if (await listens(address)) throw new Error(`${address} still listens`);
  if (removeData) rmSync(system.dataDir, { recursive: true, force: true });
}

/** Whether the process runs; a zombie does not. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}

/**
 * Waits until all of these processes have ended.
 * @throws if that takes more than 20 s
 */
export async function gone(pids: number[]): Promise<void> {
  const giveUp = performance.now() + STOP_MS_MAX;
  while (pids.some(isAlive)) {
    if (performance.now() > giveUp) throw new Error(`still there: ${pids.filter(isAlive)}`);
    await sleep(20);
  }
}

/** Returns the process IDs of all descendants of a process, from /proc. */
export function descendants(pid: number): number[] {
  const children = unlessGone(() => readdirSync(`/proc/${pid}/task`))?.flatMap((task) => {
    const pids = unlessGone(() => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8'));
    return pids?.split(' ').filter(Boolean).map(Number) ?? [];
  });
  return children?.flatMap((child) => [child, ...descendants(child)]) ?? [];
}

/** Returns undefined if `look` throws, because processes and threads may end meanwhile. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** Whether a process listens at `host:port`. */
export async function listens(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
