/** Starts the embedded ClickHouse as a child process, and ends it. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BigtraceError } from '../common/errors.ts';
import {
  ORCHESTRATOR_VARIABLE,
  UPSTREAM_ORCHESTRATOR_VARIABLE,
} from '../common/orchestrator-variable.ts';
import { useUsers, writeEngineFiles } from './engine-files.ts';
import {
  type EmbeddedExit,
  type EngineProcess,
  spawnEngine,
  UNCONFINED_EXIT,
} from './engine-process.ts';
import { type Passwords, passwordVariables, settlePasswords } from './passwords.ts';
import { type ClickHouseLogin, setUpClickHouse } from './set-up.ts';

const START_MS_MAX = 60_000;
const PING_EVERY_MS = 20;

export interface EmbeddedOptions {
  dataDir: string;
  /** Directory of the build: `clickhouse-embedded.js` and `clickhouse/`. */
  dist: string;
  /** Address to listen on. */
  listen: string;
  /** 0: any free one. */
  httpPort: number;
  /** Of the native protocol. 0: any free one. */
  tcpPort: number;
  /** host:port that the bridge asks. */
  orchestrator: string;
  /** What is not given is what the last start had, or random. */
  passwords: Partial<Passwords>;
  /** Whether to start on a Linux that cannot keep ClickHouse's users from the files of this user. */
  insecure: boolean;
  /** For the child, and so for the scripts that ClickHouse runs. */
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

export interface EmbeddedClickHouse {
  /** host:port */
  httpAddress: string;
  tcpAddress: string;
  pid: number;
  passwords: Passwords;
  exited: Promise<EmbeddedExit>;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
  /** At once. */
  kill(): void;
}

/**
 * Resolves when it answers queries, everything in it set up.
 * @throws invalid_option (no build for this platform, no Landlock, a port that is taken), internal, cancelled.
 */
export async function startEmbeddedClickHouse(
  options: EmbeddedOptions,
): Promise<EmbeddedClickHouse> {
  const tree = join(options.dist, 'clickhouse');
  const files = writeEngineFiles(tree, options.dataDir);
  const passwords = settlePasswords(options.dataDir, options.passwords);
  const { httpPort, tcpPort } = await choosePorts(options);
  const run = (flags: string[], queries: string[]): EngineProcess =>
    spawnEngine({
      entry: join(options.dist, 'clickhouse-embedded.js'),
      arguments: [
        'clickhouse',
        `--config-file=${files.configFile}`,
        `--path=${files.data}`,
        ...flags,
        `--query=${queries.join(';')}`,
      ],
      env: {
        ...options.env,
        BIGTRACE_ADMIN_PASSWORD: undefined, // the scripts have no use for them
        BIGTRACE_ANALYST_PASSWORD: undefined,
        BIGTRACE_SERVICE_PASSWORD: undefined,
        ...passwordVariables(passwords),
        BIGTRACE_CLICKHOUSE_DATA: `${files.data}/`,
        BIGTRACE_CLICKHOUSE_LOG: files.logFile,
        BIGTRACE_CLICKHOUSE_SCRIPTS: join(tree, 'user_scripts'),
        [ORCHESTRATOR_VARIABLE]: options.orchestrator,
        [UPSTREAM_ORCHESTRATOR_VARIABLE]: undefined, // the bridge asks the orchestrator above
        BIGTRACE_CLICKHOUSE_HTTP: `http://${address(loopbackOf(options.listen), httpPort)}`,
      },
      directory: files.directory,
      insecure: options.insecure,
      readable: [],
    });
  if (!files.databaseExists) {
    useUsers(tree, files, 'first-start');
    const { how, lastLines } = await run([], ['CREATE DATABASE IF NOT EXISTS bigtrace']).exited;
    if (how !== 'exit code 0') throw startFailure(how, lastLines);
  }
  useUsers(tree, files, 'listening');
  const engine = run(
    [
      `--listen_host=${options.listen}`,
      `--http_port=${httpPort}`,
      `--tcp_port=${tcpPort}`,
      '--ignore-error',
    ],
    LISTENING,
  );
  const login = {
    url: `http://${address(options.listen, httpPort)}`,
    username: 'admin',
    password: passwords.admin,
  };
  try {
    await Promise.race([makeReady(login, tree, options.signal), deathOf(engine.exited)]);
  } catch (thrown) {
    engine.kill();
    await engine.exited;
    throw thrown;
  }
  return {
    ...engine,
    httpAddress: address(options.listen, httpPort),
    tcpAddress: address(options.listen, tcpPort),
    passwords,
  };
}

const KEEP_UP =
  'SELECT sleepEachRow(3) FROM system.numbers FORMAT Null ' +
  'SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0';

/** What makes the engine a server. One `KILL QUERY WHERE 1` of an admin's must not be its end. */
const LISTENING = [
  'SYSTEM START LISTEN HTTP',
  'SYSTEM START LISTEN TCP',
  ...Array.from({ length: 1000 }, () => KEEP_UP),
];

async function makeReady(
  login: ClickHouseLogin,
  tree: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const timeout = AbortSignal.timeout(START_MS_MAX);
  while (!(await answersPing(login.url))) {
    if (signal?.aborted) throw new BigtraceError('cancelled', 'stopped before clickhouse was up');
    if (timeout.aborted)
      throw new BigtraceError('internal', `clickhouse was not up after ${START_MS_MAX / 1000} s`);
    await sleep(PING_EVERY_MS);
  }
  await setUpClickHouse(login, tree);
}

async function answersPing(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/ping`)).ok;
  } catch {
    return false; // it does not listen yet
  }
}

async function deathOf(exited: Promise<EmbeddedExit>): Promise<never> {
  const { how, lastLines } = await exited;
  throw startFailure(how, lastLines);
}

function startFailure(how: string, lastLines: string[]): BigtraceError {
  if (how === `exit code ${UNCONFINED_EXIT}`)
    return new BigtraceError(
      'invalid_option',
      `this Linux (${release()}) has not the Landlock of 5.19 and later, so whoever may ask ClickHouse could ` +
        'read every file that you can: say --insecure if that is as it should be, or give a server of ' +
        'your own by --clickhouse URL',
    );
  return new BigtraceError(
    'internal',
    `clickhouse did not start (${how}): ${lastLines.join('\n  ')}`,
  );
}

/** The engine cannot say which port it got, so a free one is looked for before. */
async function choosePorts({
  listen,
  httpPort,
  tcpPort,
}: EmbeddedOptions): Promise<{ httpPort: number; tcpPort: number }> {
  const servers = [await bind(listen, httpPort), await bind(listen, tcpPort)];
  const [http, tcp] = servers.map(portOf);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return { httpPort: http ?? 0, tcpPort: tcp ?? 0 };
}

async function bind(host: string, port: number): Promise<Server> {
  const server = createServer();
  try {
    await once(server.listen({ host, port, exclusive: true }), 'listening');
    return server;
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BigtraceError('invalid_option', `clickhouse cannot listen: ${text}`, { cause });
  }
}

function portOf(server: Server): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

/** By which this machine reaches it; an address that is not the loopback stays as it is. */
function loopbackOf(listen: string): string {
  if (listen === '0.0.0.0') return '127.0.0.1';
  return listen === '::' ? '::1' : listen;
}

function address(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
