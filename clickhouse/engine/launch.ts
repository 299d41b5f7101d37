/** Starts and stops the ClickHouse of `bigtrace up` as a child process: the embedded engine, or a server. */
import { release } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseLogin } from '../../lib/clickhouse/client.ts';
import { asBigtraceError, BigtraceError } from '../../lib/common/errors.ts';
import { thisMachine } from '../../lib/common/machine.ts';
import { bindFailure, freePorts } from '../../lib/common/network/free-port.ts';
import {
  ORCHESTRATOR_VARIABLE,
  UPSTREAM_ORCHESTRATOR_VARIABLE,
} from '../../lib/common/options/orchestrator-variable.ts';
import { type Passwords, passwordVariables, settlePasswords } from '../accounts/passwords.ts';
import { readTeamUsers, teamUserVariables } from '../accounts/team-users.ts';
import { embeddedLibrary, type ServerBinary } from '../binary/choice.ts';
import { setUpClickHouse } from '../views/set-up.ts';
import { connectionsMax } from './connections.ts';
import { encryptTables } from './encrypt-tables.ts';
import { writeEngineFiles } from './engine-files.ts';
import {
  type EmbeddedExit,
  type EngineProcess,
  spawnEngine,
  UNCONFINED_EXIT,
} from './engine-process.ts';
import { settleTablesKey } from './tables-key.ts';

const START_MS_MAX = 60_000;
const PING_EVERY_MS = 20;

/** Time from SIGTERM to SIGKILL. A server first waits for running queries. */
const STOP_MS_MAX = { embedded: 5_000, server: 15_000 };

/**
 * Memory limit as a share of the memory of the machine or container. The loaded traces of the workers have the same
 * limit (cli/up/config.ts).
 */
const MEMORY_SHARE = 0.4;

export interface EmbeddedOptions {
  /** The binary whose server to start; undefined: the embedded engine. */
  binary?: ServerBinary | undefined;
  dataDir: string;
  /** Directory of the build, with `clickhouse-embedded.js`, `clickhouse-server.js` and `clickhouse/`. */
  dist: string;
  /** Address to listen on. */
  listen: string;
  /** 0 picks a free port. */
  httpPort: number;
  /** Port of the native protocol; 0 picks a free port. */
  tcpPort: number;
  /** host:port of the orchestrator that the bridge connects to. */
  orchestrator: string;
  /** Passwords to set. Others are taken from the last start, or generated. */
  passwords: Partial<Passwords>;
  /** Whether to start on a Linux kernel that cannot protect the files of this user from ClickHouse's users. */
  insecure: boolean;
  /** Environment of the engine and of the scripts that it runs. */
  env: NodeJS.ProcessEnv;
  /** Receives the engine's log. */
  log?: (chunk: Buffer) => void;
  signal?: AbortSignal;
}

export interface EmbeddedClickHouse {
  /** host:port */
  httpAddress: string;
  tcpAddress: string;
  pid: number;
  passwords: Passwords;
  exited: Promise<EmbeddedExit>;
  /** Resolves when the process has ended. */
  stop(): Promise<void>;
  /** Kills the process. */
  kill(): void;
}

/**
 * Starts the engine. Resolves when it accepts queries and its database is set up.
 * @throws invalid_option (no build for this platform, no Landlock, a port that is in use), internal, cancelled
 */
export async function startEmbeddedClickHouse(
  options: EmbeddedOptions,
): Promise<EmbeddedClickHouse> {
  const passwords = settlePasswords(options.dataDir, options.passwords);
  const ports = await choosePorts(options);
  const engine = spawnOn(options, passwords, ports);
  const { listen, dist, signal } = options;
  const login = {
    url: `http://${address(listen, ports.http)}`,
    username: 'admin',
    password: passwords.admin,
  };
  try {
    const ready = makeReady(login, join(dist, 'clickhouse'), {
      signal,
      inDefault: viewsInDefault(options),
    });
    await Promise.race([ready, failWhenExited(engine.exited)]);
    for (const failure of await Promise.race([encryptTables(login), failWhenExited(engine.exited)]))
      options.log?.(Buffer.from(`bigtrace: not encrypted yet: ${failure}\n`));
  } catch (thrown) {
    engine.kill();
    await engine.exited;
    throw withReasons(asBigtraceError(thrown), engine.reasons());
  }
  return {
    ...engine,
    httpAddress: address(listen, ports.http),
    tcpAddress: address(listen, ports.tcp),
    passwords,
  };
}

/**
 * Whether the views can be created in the database `default`, too. The engine looks for its tables among files as well,
 * and reads a directory with one of these characters in its path as a pattern, which no user may do.
 */
function viewsInDefault({ dataDir, log }: EmbeddedOptions): boolean {
  const path = resolve(dataDir);
  if (!/[*?{]/.test(path)) return true;
  const note = `the views exist in the database bigtrace only, not in default: the path ${path} contains * ? or {`;
  log?.(Buffer.from(`bigtrace: ${note}\n`));
  return false;
}

interface Ports {
  http: number;
  tcp: number;
}

function spawnOn(options: EmbeddedOptions, passwords: Passwords, ports: Ports): EngineProcess {
  const { binary, dist, dataDir, listen, insecure } = options;
  const tree = join(dist, 'clickhouse');
  const scripts = join(tree, 'user_scripts');
  const users = readTeamUsers(dataDir);
  const isServer = binary !== undefined;
  const { etc, queriesFile, data } = writeEngineFiles(tree, dataDir, users, isServer);
  const path = `../${basename(data)}`;
  const places = [
    `--path=${path}`,
    `--listen_host=${listen}`,
    `--http_port=${ports.http}`,
    `--tcp_port=${ports.tcp}`,
  ];
  // Relative to `directory`, because ClickHouse interprets some characters of paths as patterns, as in `a[b]`.
  const config = '--config-file=config.xml';
  return spawnEngine({
    ...(isServer
      ? { ...serverProgram(binary, dist), arguments: ['server', config, '--', ...places] }
      : { ...embeddedProgram(dist), arguments: ['clickhouse', config, ...places] }),
    queriesFile,
    env: {
      ...variablesOf(options, passwords, ports),
      ...teamUserVariables(dataDir, users),
      BIGTRACE_CLICKHOUSE_DATA: `${path}/`,
      BIGTRACE_CLICKHOUSE_TABLES_KEY: settleTablesKey(dataDir, data),
      BIGTRACE_CLICKHOUSE_SCRIPTS: xmlText(scripts), // from_env inserts the value as XML
    },
    directory: etc, // ClickHouse resolves relative patterns of the configuration here
    insecure,
    confinement: {
      readable: [etc],
      executable: [scripts],
      writable: [data],
      ports: [ports.http, ports.tcp],
    },
    stopMsMax: isServer ? STOP_MS_MAX.server : STOP_MS_MAX.embedded,
    log: options.log ?? (() => {}),
  });
}

/** @throws invalid_option if there is no build of the engine for this platform */
export function embeddedProgram(dist: string): { entry: string; program: string } {
  const library = embeddedLibrary(dist);
  if (library !== undefined)
    return { entry: join(dist, 'clickhouse-embedded.js'), program: library };
  throw new BigtraceError(
    'invalid_option',
    `there is no embedded ClickHouse for ${process.platform} ${process.arch}`,
  );
}

/** Only Linux can confine the server, which itself limits its users to the files of one directory. */
function serverProgram(
  { path }: ServerBinary,
  dist: string,
): { entry: string | undefined; program: string; isServer: true } {
  const entry = process.platform === 'linux' ? join(dist, 'clickhouse-server.js') : undefined;
  return { entry, program: path, isServer: true };
}

function variablesOf(
  { env, orchestrator, listen }: EmbeddedOptions,
  passwords: Passwords,
  { http }: Ports,
): NodeJS.ProcessEnv {
  return {
    ...env,
    BIGTRACE_ADMIN_PASSWORD: undefined, // the scripts do not need them
    BIGTRACE_ANALYST_PASSWORD: undefined,
    BIGTRACE_SERVICE_PASSWORD: undefined,
    ...passwordVariables(passwords),
    BIGTRACE_CLICKHOUSE_CONNECTIONS: String(connectionsMax()),
    BIGTRACE_CLICKHOUSE_MEMORY_BYTES: String(Math.floor(thisMachine().memoryBytes * MEMORY_SHARE)),
    [ORCHESTRATOR_VARIABLE]: orchestrator,
    [UPSTREAM_ORCHESTRATOR_VARIABLE]: undefined, // so that the bridge uses the orchestrator above
    BIGTRACE_CLICKHOUSE_HTTP: `http://${address(loopbackOf(listen), http)}`,
    CLICKHOUSE_WATCHDOG_ENABLE: '0', // or a server would run as the child of a process that restarts it
  };
}

async function makeReady(
  login: ClickHouseLogin,
  tree: string,
  { signal, inDefault }: { signal: AbortSignal | undefined; inDefault: boolean },
): Promise<void> {
  const timeout = AbortSignal.timeout(START_MS_MAX);
  while (!(await respondsToPing(login.url))) {
    if (signal?.aborted)
      throw new BigtraceError('cancelled', 'stopped before ClickHouse was ready');
    if (timeout.aborted)
      throw new BigtraceError(
        'internal',
        `ClickHouse was not ready after ${START_MS_MAX / 1000} s`,
      );
    await sleep(PING_EVERY_MS);
  }
  await setUpClickHouse(login, tree, { inDefault });
}

async function respondsToPing(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/ping`)).ok;
  } catch {
    return false; // it does not listen yet
  }
}

async function failWhenExited(exited: Promise<EmbeddedExit>): Promise<never> {
  const { reason, lastLines } = await exited;
  throw startFailure(reason, lastLines);
}

/** Adds error lines of the engine's log: only the log names a broken configuration file. */
function withReasons(error: BigtraceError, reasons: string[]): BigtraceError {
  const isError = (line: string): boolean => line.includes('<Error>');
  const lines = reasons.filter(isError).filter((line) => !error.message.includes(line));
  if (lines.length === 0) return error;
  return new BigtraceError(error.code, [error.message, ...lines].join('\n  '), { cause: error });
}

function startFailure(reason: string, lastLines: string[]): BigtraceError {
  if (reason === `exit code ${UNCONFINED_EXIT}`)
    return new BigtraceError(
      'invalid_option',
      `Landlock (Linux 5.19 or later) is unavailable on Linux ${release()}, so ClickHouse's users could ` +
        'read every file that you can: pass --insecure to run without a sandbox, or use your own ' +
        'server with --clickhouse URL',
    );
  return new BigtraceError(
    'internal',
    `ClickHouse did not start (${reason}): ${lastLines.join('\n  ')}`,
  );
}

/**
 * Chooses the ports beforehand, because the engine cannot report which ones it chose.
 * @throws invalid_option if the engine cannot listen on a requested port, or on the host
 */
async function choosePorts({ listen, httpPort, tcpPort }: EmbeddedOptions): Promise<Ports> {
  const configuredPorts = [httpPort, tcpPort].filter((port) => port !== 0);
  for (const port of configuredPorts) {
    const failure = await bindFailure(listen, port);
    if (failure !== undefined) throw cannotListen(failure);
  }
  const others = await freePorts(listen, 2 - configuredPorts.length, configuredPorts).catch(
    (cause: unknown) => {
      throw cannotListen(cause);
    },
  );
  return { http: httpPort || (others.shift() ?? 0), tcp: tcpPort || (others.shift() ?? 0) };
}

function cannotListen(cause: unknown): BigtraceError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new BigtraceError('invalid_option', `ClickHouse cannot listen: ${text}`, { cause });
}

/** The address at which this machine reaches the engine: the loopback address if it listens on all addresses. */
function loopbackOf(listen: string): string {
  if (listen === '0.0.0.0') return '127.0.0.1';
  return listen === '::' ? '::1' : listen;
}

function xmlText(text: string): string {
  return text.replace(/[&<>\r]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function address(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
