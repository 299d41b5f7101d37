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
import { PLAIN_DEFINER, startPlainClickHouse } from '../../clickhouse/testing/plain.ts';
import { ROOT } from '../../lib/common/root.ts';

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
  bridgePid: number;
  tokenFile: string;
  stop(): Promise<void>;
}

/** Starts a ClickHouse and a bridge, and installs the views. @param orchestrator host:port */
export async function startResident(orchestrator: string): Promise<Resident> {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-resident-'));
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, crypto.randomUUID(), { mode: 0o600 });
  const [engine, bridge] = await Promise.all([
    startPlainClickHouse(directory),
    startBridge(orchestrator, tokenFile),
  ]);
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
    bridgePid: bridge.pid,
    tokenFile,
    stop,
  };
}

/** Runs `bigtrace clickhouse install`; returns what it prints. */
export function install(url: string, password: string, flags: string[]): Promise<string> {
  return clickHouseCommand('install', url, password, flags);
}

/** Runs `bigtrace clickhouse uninstall`. */
export async function uninstall({ clickhouseHttp, adminPassword }: Resident): Promise<void> {
  await clickHouseCommand('uninstall', clickhouseHttp, adminPassword, []);
}

async function clickHouseCommand(
  command: string,
  url: string,
  password: string,
  flags: string[],
): Promise<string> {
  const login = ['--url', url, '--user', 'admin', '--definer', PLAIN_DEFINER];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [BIN, 'clickhouse', command, ...login, ...flags],
    { env: { ...process.env, BIGTRACE_CLICKHOUSE_PASSWORD: password } },
  );
  return stdout;
}

export interface BridgeProcess {
  url: string;
  pid: number;
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
  const { http, pid } = JSON.parse(String(line[0])) as { http: string; pid: number };
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    await exited;
  };
  return { url: http, pid, stop };
}
