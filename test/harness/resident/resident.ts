/**
 * Gives a test system the resident bridge (test/config/resident.config.ts): the tests then query the views in a
 * ClickHouse of somebody else, in which only `bigtrace clickhouse install` was run.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  PLAIN_DEFINER,
  type PlainClickHouse,
  startPlainClickHouse,
  startPlainCluster,
} from '../../../clickhouse/testing/plain.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { startBalancer } from './balancer.ts';

const BIN = join(ROOT, 'cli/bigtrace.mjs');

/** Whether the views of the tests read from the resident bridge. */
export function usesResidentBridge(): boolean {
  return process.env['BIGTRACE_VIEWS_BRIDGE'] === 'resident';
}

export interface Resident {
  clickhouseHttp: string;
  clickhouseTcp: string;
  adminPassword: string;
  analystPassword: string;
  /** `http://127.0.0.1:PORT` of the bridge. */
  bridge: string;
  tokenFile: string;
  /** Kills the bridge or the ClickHouse with SIGKILL. */
  kill(name: ResidentProcess): void;
  /** Starts what was killed again, at the same address. */
  restart(name: ResidentProcess): Promise<void>;
  stop(): Promise<void>;
}

export type ResidentProcess = 'bridge' | 'clickhouse';

/** Starts a ClickHouse and a bridge, and installs the views. @param orchestrator host:port */
export async function startResident(orchestrator: string): Promise<Resident> {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-resident-'));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, crypto.randomUUID(), { mode: 0o600 });
  const [engine, first] = await Promise.all([
    startPlainClickHouse(directory),
    startBridge(orchestrator, tokenFile),
  ]);
  let bridge = first;
  const { port } = new URL(first.url);
  const stop = async (): Promise<void> => {
    await bridge.stop();
    await engine.stop();
    rmSync(directory, { recursive: true });
  };
  try {
    await install(engine.url, engine.password, [
      '--bridge',
      bridge.url,
      '--bridge-token-file',
      tokenFile,
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    clickhouseHttp: engine.url,
    clickhouseTcp: engine.tcpAddress,
    adminPassword: engine.password,
    analystPassword: engine.password,
    bridge: bridge.url,
    tokenFile,
    kill: (name) => (name === 'bridge' ? bridge : engine).kill(),
    restart: async (name) => {
      if (name === 'clickhouse') return await engine.restart();
      await bridge.stop();
      bridge = await startBridge(orchestrator, tokenFile, ['--port', port]);
    },
    stop,
  };
}

export interface ResidentCluster {
  servers: PlainClickHouse[];
  /** URL of the proxy in front of the bridges. */
  bridge: string;
  tokenFile: string;
  /** Shares that each bridge was asked for. */
  shares: number[];
  stop(): Promise<void>;
}

/**
 * Starts servers that are the cluster PLAIN_CLUSTER, with two bridges, and installs the views on each.
 * @param zooKeeperPort of the ZooKeeper of the servers, whose tables are then replicated; undefined: they have none
 */
export async function startResidentCluster(
  orchestrator: string,
  count: number,
  zooKeeperPort?: number,
): Promise<ResidentCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-cluster-'));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, crypto.randomUUID(), { mode: 0o600 });
  const bridges = await Promise.all([1, 2].map(() => startBridge(orchestrator, tokenFile)));
  const balancer = await startBalancer(bridges.map(({ url }) => url));
  const servers = await startPlainCluster(directory, count, zooKeeperPort);
  const flags = [
    ...['--bridge', balancer.url, '--bridge-token-file', tokenFile],
    ...(zooKeeperPort === undefined ? [] : ['--replicated']),
  ];
  for (const { url, password } of servers) await install(url, password, flags);
  const stop = async (): Promise<void> => {
    await Promise.all(bridges.map((each) => each.stop()));
    balancer.stop();
    await Promise.all(servers.map((each) => each.stop()));
    rmSync(directory, { recursive: true });
  };
  return { servers, bridge: balancer.url, tokenFile, shares: balancer.shares, stop };
}

/** Runs `bigtrace clickhouse install`; returns what it prints. */
export function install(url: string, password: string, flags: string[]): Promise<string> {
  return clickHouseCommand('install', url, password, flags);
}

/** Runs `bigtrace clickhouse uninstall`. */
export async function uninstall({ clickhouseHttp, adminPassword }: Resident): Promise<void> {
  await uninstallFrom(clickhouseHttp, adminPassword);
}

export async function uninstallFrom(url: string, password: string): Promise<void> {
  await clickHouseCommand('uninstall', url, password, []);
}

async function clickHouseCommand(
  command: string,
  url: string,
  password: string,
  flags: string[],
): Promise<string> {
  const definer = ['--definer', PLAIN_DEFINER];
  return await run([command, ...loginOf(url), ...definer, ...flags], {
    BIGTRACE_CLICKHOUSE_PASSWORD: password,
  });
}

const loginOf = (url: string): string[] => ['--url', url, '--user', 'admin'];

/** Runs `bigtrace clickhouse install`, which has to create the user as whom the views run. */
export function installWithDefiner(url: string, password: string, bridge: string): Promise<string> {
  return run(['install', ...loginOf(url), '--bridge', bridge], {
    BIGTRACE_CLICKHOUSE_PASSWORD: password,
  });
}

/** Returns the statements that the command would run. */
export async function statementsOf(
  command: 'install' | 'uninstall',
  flags: string[],
): Promise<string[]> {
  const printed = await run([command, '--url', 'http://127.0.0.1:1', '--dry-run', ...flags]);
  return printed.split(/;\n+/).filter((statement) => statement !== '');
}

async function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const command = [BIN, 'clickhouse', ...args];
  const options = { env: { ...process.env, ...env }, maxBuffer: 2 ** 24 };
  return (await promisify(execFile)(process.execPath, command, options)).stdout;
}

export interface BridgeProcess {
  url: string;
  kill(): void;
  stop(): Promise<void>;
}

export async function startBridge(
  orchestrator: string,
  tokenFile: string,
  flags: string[] = [],
): Promise<BridgeProcess> {
  const args = ['--json', '--port', '0', '--orchestrator', orchestrator, '--token-file', tokenFile];
  const child = spawn(process.execPath, [BIN, 'bridge', ...args, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const line = await Promise.race([
    once(child.stdout ?? process.stdin, 'data'),
    exited.then(() => {
      throw new Error('bigtrace bridge did not start');
    }),
  ]);
  const { http } = JSON.parse(String(line[0])) as { http: string };
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    await exited;
  };
  return { url: http, kill: () => child.kill('SIGKILL'), stop };
}
