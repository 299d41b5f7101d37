/**
 * For tests: the embedded engine with a stand-in script instead of the bridge; with test/config/resident.config.ts a
 * ClickHouse of somebody else, with the resident bridge and a stand-in instead of the orchestrator.
 */
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { build } from 'esbuild';
import { ROOT } from '../../lib/common/root.ts';
import { literal } from '../../lib/common/text/sql-literal.ts';
import { startResidentEngine } from '../../test/harness/resident/engine.ts';
import { usesResidentBridge } from '../../test/harness/resident/resident.ts';
import { viewsFormat } from '../../tools/build/views-format.mjs';
import { type EmbeddedClickHouse, startEmbeddedClickHouse } from '../engine/launch.ts';
import { generatedSql } from '../views/query-views.mjs';

const ROOM = join(import.meta.dirname, '..');

/** Builds must be below the directory of node_modules, so that they find packages. */
const BUILDS = join(ROOT, 'dist/test');

export interface TestEngine extends AsyncDisposable {
  engine: EmbeddedClickHouse;
  /** Directory of this test, deleted at its end. */
  directory: string;
  dist: string;
  /** Directory that scripts may write to. */
  scratch: string;
  as(username: string): ClickHouseClient;
  /** Stops the engine and starts it again on the same data. */
  restart(): Promise<void>;
  /** Undefined with the executed bridge. */
  resident: ResidentParts | undefined;
}

export interface ResidentParts {
  /** Whether the client of this query's column finding has left, as the orchestrator sees it; undefined: there was none. */
  hasLeft(queryId: string): boolean | undefined;
}

/** For tests of what only the ClickHouse of `bigtrace up` has. */
export const EXECUTED = !usesResidentBridge();

export interface TestEngineOptions {
  /** Directory names below which to put the build (`dist`) and the data (`data`). */
  dist?: string;
  data?: string;
  /** Settings of the default profile, as an operator of the server might set them. */
  defaultProfile?: readonly { name: string; value: string }[];
}

export async function startTestEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  mkdirSync(BUILDS, { recursive: true });
  const directory = mkdtempSync(join(BUILDS, 'clickhouse-'));
  if (usesResidentBridge()) return startResident(directory);
  const dist = join(directory, options.dist ?? '', 'dist');
  await buildWithStandIn(dist);
  writeDefaultProfile(dist, options.defaultProfile ?? []);
  const dataDir = join(directory, options.data ?? '', 'data');
  mkdirSync(dataDir, { recursive: true });
  const clients: ClickHouseClient[] = [];
  const start = (): Promise<EmbeddedClickHouse> => startOn({ dataDir, dist });
  const test: TestEngine = {
    engine: await start(),
    directory,
    dist,
    scratch: join(dataDir, 'clickhouse/data'),
    resident: undefined,
    as: (username) => {
      const client = clientOf(test.engine, username);
      clients.push(client);
      return client;
    },
    restart: async () => {
      await test.engine.stop();
      test.engine = await start();
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) await client.close();
      await test.engine.stop();
      rmSync(directory, { recursive: true });
    },
  };
  return test;
}

async function startResident(directory: string): Promise<TestEngine> {
  const { clickhouse, scratch, hasLeft, restart, stop } = await startResidentEngine(directory);
  const { url, password, exited, pid, tcpAddress, kill } = clickhouse;
  const clients: ClickHouseClient[] = [];
  const engine = {
    ...{ httpAddress: new URL(url).host, tcpAddress, pid, exited, stop, kill },
    passwords: { admin: password, analyst: password, service: '' },
  };
  return {
    ...{ engine, directory, dist: join(ROOT, 'dist'), scratch, restart, resident: { hasLeft } },
    as: (username) => {
      const client = clientOf(engine, username);
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) await client.close();
      await stop();
      rmSync(directory, { recursive: true });
    },
  };
}

export function startOn(
  places: { dataDir: string; dist: string },
  ports: { httpPort?: number; tcpPort?: number } = {},
): Promise<EmbeddedClickHouse> {
  return startEmbeddedClickHouse({
    ...places,
    listen: '127.0.0.1',
    httpPort: 0,
    tcpPort: 0,
    ...ports,
    orchestrator: '127.0.0.1:1',
    passwords: {},
    insecure: false,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
  });
}

async function buildWithStandIn(dist: string): Promise<void> {
  await build({
    entryPoints: {
      'clickhouse-embedded': join(ROOM, 'engine/embedded.ts'),
      'clickhouse-server': join(ROOM, 'binary/server.ts'),
      launch: join(ROOM, 'engine/launch.ts'),
      landlock: join(ROOM, 'confinement/landlock.ts'),
      libc: join(ROOM, 'confinement/libc.ts'),
    },
    outdir: dist,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  for (const part of ['bigtrace_function.xml', 'config.d', 'embedded', 'sql', 'users.d'])
    cpSync(join(ROOM, part), join(dist, 'clickhouse', part), { recursive: true });
  cpSync(join(ROOM, 'sql-upgrades'), join(dist, 'clickhouse/sql'), { recursive: true });
  for (const [path, sql] of generatedSql(viewsFormat())) {
    mkdirSync(join(dist, 'clickhouse', path, '..'), { recursive: true });
    writeFileSync(join(dist, 'clickhouse', path), sql);
  }
  const script = join(dist, 'clickhouse/user_scripts/bigtrace');
  cpSync(join(ROOM, 'testing/stand-in.sh'), script);
  chmodSync(script, 0o755);
}

/** Writes the settings into a separate file, which ClickHouse merges with the others. */
function writeDefaultProfile(
  dist: string,
  settings: NonNullable<TestEngineOptions['defaultProfile']>,
): void {
  if (settings.length === 0) return;
  const lines = settings.map(({ name, value }) => `<${name}>${xmlText(value)}</${name}>`);
  writeFileSync(
    join(dist, 'clickhouse/users.d/operator.xml'),
    `<clickhouse><profiles><default>\n${lines.join('\n')}\n</default></profiles></clickhouse>\n`,
  );
}

function xmlText(text: string): string {
  return text.replace(/[&<>\t\r\n]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function clientOf(
  engine: Pick<EmbeddedClickHouse, 'httpAddress' | 'passwords'>,
  username: string,
): ClickHouseClient {
  const { admin, analyst, service } = engine.passwords;
  const passwords: Record<string, string> = {
    admin,
    analyst,
    bigtrace_backend: service,
    bigtrace_catalog: service,
    bigtrace_canceller: service,
    bigtrace_bridge: createHash('sha256').update(service).digest('hex'),
  };
  return createClient({
    url: `http://${engine.httpAddress}`,
    username,
    password: passwords[username] ?? '',
    ...(usesResidentBridge() ? { database: 'bigtrace' } : {}), // the views are nowhere else
    log: { level: ClickHouseLogLevel.OFF },
    request_timeout: 60_000,
  });
}

/** Returns rows as arrays of JSON values. Integers of 64 bits are strings. */
export async function rowsOf(
  client: ClickHouseClient,
  query: string,
  options: { queryId?: string; signal?: AbortSignal } = {},
): Promise<unknown[][]> {
  const { queryId, signal } = options;
  const result = await client.query({
    query,
    format: 'JSONCompactEachRow',
    clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
    ...(queryId === undefined ? {} : { query_id: queryId }),
    ...(signal === undefined ? {} : { abort_signal: signal }),
  });
  return result.json<unknown[]>();
}

/** SQL of a `bigtrace()` call whose script has these columns and runs these commands. */
export function call(structure: string, commands: string, view = 'bigtrace'): string {
  const sql = literal(`@${structure};;${commands}`);
  return `${view}(traces=['/local/a', '/local/b'], sql=${sql})`;
}
