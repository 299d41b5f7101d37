/**
 * Tests the HTTP API, the catalog and the commands over a ClickHouse of somebody else, in which only
 * `bigtrace clickhouse install` was run: no function, no program, and the users of the HTTP API.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PlainClickHouse, startPlainClickHouse } from '../../../clickhouse/testing/plain.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { BigtracePage, valuesOf, writeTraces } from '../../harness/http-page.ts';
import { type BridgeProcess, install, startBridge } from '../../harness/resident/resident.ts';
import { runInClickHouse } from '../../harness/system.ts';
import { untilIdle, untilRunning } from '../../harness/workers.ts';

const BIN = join(ROOT, 'cli/bigtrace.mjs');
const FLAGS = ['--json', '--log-level', 'warn', '-s', '127.0.0.1:0'];
const SQL = 'SELECT name, dur FROM slice ORDER BY ts';
const ENDLESS =
  'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) AS n FROM t';
const GOOD = [{ setting_id: 'traces', values: ['/local/[ab].json'], category: 'TRACE_ADDRESS' }];
const ALL = [{ setting_id: 'traces', values: ['/local/*.json'], category: 'TRACE_ADDRESS' }];
const STRICT = {
  ...{ setting_id: 'on_failure', values: ['strict'], category: 'BIGTRACE_QUERY_OPTIONS' },
};

let directory: string;
let workers: string[];
let clickHouse: PlainClickHouse;
let bridge: BridgeProcess;
let orchestrator: Service;
let page: BigtracePage;
const services: ChildProcess[] = [];

interface Service {
  address: string;
  http: string;
}

/** Starts a service, and waits until it is ready. */
async function start(...args: string[]): Promise<Service> {
  const child = spawn(process.execPath, [BIN, ...args, ...FLAGS], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  services.push(child);
  const [line] = await once(createInterface(child.stdout), 'line');
  return JSON.parse(String(line)) as Service;
}

async function run(...args: string[]): Promise<string> {
  const env = {
    ...process.env,
    ...{ BIGTRACE_ADMIN_PASSWORD: clickHouse.password },
    ...{ BIGTRACE_ANALYST_PASSWORD: clickHouse.password },
  };
  return (await promisify(execFile)(process.execPath, [BIN, ...args], { env })).stdout;
}

function sql(query: string): Promise<string> {
  const { url, password } = clickHouse;
  const logins = { clickhouseHttp: url, adminPassword: password, analystPassword: password };
  return runInClickHouse(logins, query);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bigtrace-own-'));
  const traces = writeTraces({ 'a.json': ['one', 'Two'], 'b.json': ['three'] });
  writeFileSync(join(traces, 'bad.json'), '{"traceEvents":[{"ph":"X","name":"cut');
  const [started, ...both] = await Promise.all([
    startPlainClickHouse(directory, { withServices: true }),
    ...[1, 2].map(() => start('worker', '--traces', traces)),
  ]);
  clickHouse = started;
  workers = both.map(({ address }) => address);
  const [tokenFile, passwordFile] = [join(directory, 'token'), join(directory, 'password')];
  writeFileSync(tokenFile, crypto.randomUUID(), { mode: 0o600 });
  writeFileSync(passwordFile, clickHouse.password, { mode: 0o600 });
  const catalog = ['--clickhouse', clickHouse.url, '--service-password-file', passwordFile];
  orchestrator = await start('orchestrator', '--workers', workers.join(','), ...catalog);
  bridge = await startBridge(orchestrator.address, tokenFile);
  await install(clickHouse.url, clickHouse.password, [
    ...['--bridge', bridge.url, '--bridge-token-file', tokenFile],
  ]);
  const api = await start('http-api', '--orchestrator', orchestrator.address, ...catalog);
  page = new BigtracePage(api);
});
afterAll(async () => {
  for (const child of services.toReversed()) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await ended)[0]).toBe(0);
  }
  await bridge?.stop();
  await clickHouse?.stop();
  rmSync(directory, { recursive: true });
});

test('index fills the catalog, and /where/ selects from it', async () => {
  const peers = ['--orchestrator', orchestrator.address, '--clickhouse', clickHouse.url];
  await run('index', '/local/**', ...peers);
  expect(await sql('SELECT address FROM bigtrace.traces ORDER BY address')).toBe(
    '/local/a.json\n/local/b.json\n/local/bad.json\n',
  );
  const query = `SELECT name FROM bigtrace.bigtrace_where(filter = 'address LIKE \\'%/b.json\\'', sql = 'SELECT name FROM slice')`;
  expect(await sql(query)).toBe('three\n');
});

test('a query returns the rows and the metadata of its traces', async () => {
  const { status, body } = await page.post('/execute_bigtrace_query', {
    ...{ limit: 100, perfetto_sql: SQL, settings: GOOD, trace_metadata_columns: ['size'] },
  });
  expect(status, body.detail).toBe(200);
  expect(body.schema).toEqual([
    { name: '_trace_address', type: 'STRING' },
    { name: 'name', type: 'STRING' },
    { name: 'dur', type: 'INT64' },
    { name: 'size', type: 'UINT64' },
  ]);
  expect(valuesOf(body).toSorted()).toEqual([
    ['/local/a.json', 'Two', '2000', '159'],
    ['/local/a.json', 'one', '1000', '159'],
    ['/local/b.json', 'three', '1000', '90'],
  ]);
});

test('a trace that fails is reported, or ends a strict query; bytes and an error of the script arrive', async () => {
  const lenient = await page.run({ limit: 9, perfetto_sql: SQL, settings: ALL });
  expect(lenient.status).toMatchObject({ status: 'SUCCESS', processedRows: 3 });
  expect(lenient.status.errorMessage).toBe(
    '1 of 3 traces failed: [/local/bad.json]: JSON trace file is incomplete',
  );
  const strict = await page.run({ limit: 9, perfetto_sql: SQL, settings: [...ALL, STRICT] });
  expect(strict.status).toMatchObject({ status: 'FAILED' });
  expect(strict.status.errorMessage).toBe('[/local/bad.json]: JSON trace file is incomplete');
  const wrong = await page.run({ limit: 9, perfetto_sql: 'SELECT nope', settings: GOOD });
  expect(wrong.status.errorMessage).toMatch(/no such column: nope/);
  const bytes = await page.post('/execute_bigtrace_query', {
    ...{ limit: 1, settings: GOOD, perfetto_sql: "SELECT x'00ff' AS b, NULL AS n, 'é\n\t\\' AS s" },
  });
  expect(bytes.body.schema[1]).toEqual({ name: 'b', type: 'BYTES' });
  expect(valuesOf(bytes.body)[0]?.slice(1)).toEqual(['AP8=', null, 'é\n\t\\']);
});

test('a query is cancelled during column finding, and while it runs', async () => {
  const queries = [ENDLESS, `SELECT 1 AS n UNION ALL SELECT * FROM (${ENDLESS})`];
  for (const perfetto_sql of queries) {
    const { body } = await page.post('/execute_bigtrace_query_async', {
      ...{ limit: 9, perfetto_sql, settings: GOOD },
    });
    await untilRunning({ workers });
    await page.post(`/query_executions/${body.queryUuid}:cancel`, {});
    const ended = await page.until(body.queryUuid, ({ status }) => status !== 'IN_PROGRESS');
    expect(ended.status).toBe('CANCELLED');
    await untilIdle({ workers });
  }
});

test('materialize stores rows once, and history, failures and progress are shown', async () => {
  const args = ['--name', 'slices', '--sql', SQL, '--traces', '/local/[ab].json', '--json'];
  for (let times = 0; times < 2; times++)
    await run('materialize', ...args, '--clickhouse', clickHouse.url);
  const admin = { user: 'admin' } as const;
  const { url, password } = clickHouse;
  const logins = { clickhouseHttp: url, adminPassword: password, analystPassword: password };
  const rows = 'SELECT _trace_address, name, dur FROM bigtrace_results.slices ORDER BY ALL';
  expect(await runInClickHouse(logins, rows, admin)).toBe(
    '/local/a.json\tTwo\t2000\n/local/a.json\tone\t1000\n/local/b.json\tthree\t1000\n',
  );
  const history = JSON.parse(await run('history', '--json', '--clickhouse', clickHouse.url));
  expect(history.map(({ status }: { status: string }) => status).toSorted()).toEqual([
    ...['CANCELLED', 'CANCELLED', 'FAILED', 'FAILED', 'SUCCESS', 'SUCCESS', 'SUCCESS'],
  ]);
  expect(
    await sql("SELECT DISTINCT trace FROM bigtrace.failures WHERE code = 'trace_invalid'"),
  ).toBe('/local/bad.json\n');
  expect(await sql('SELECT count() FROM bigtrace.progress')).toBe('0\n');
});
