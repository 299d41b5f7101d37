/** Tests a newly set-up Superset in a browser. test/harness/superset-install.sh installs the required programs. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { CORPUS } from '../../corpus/index.ts';
import { recordedEarlier } from '../../corpus/recorded-earlier.ts';
import {
  type ChartQuery,
  type ChartResult,
  listenToCharts,
  logIn,
  openLab,
  restartServer,
  runChart,
  type Superset,
  setUp,
  startBrowser,
  startSuperset,
} from '../../harness/superset.ts';
import { complaintsAboutFilters } from '../../harness/superset-filters.ts';
import { type System, startSystem } from '../../harness/system.ts';
import { CHARTS, expectVisible, openDashboard } from './superset-dashboard.ts';
import {
  expectSameComparisons,
  expectSameCpuTime,
  expectSameSlices,
  expectSameTrend,
} from './superset-numbers.ts';

const run = promisify(execFile);
const SHOTS = join(ROOT, 'test-results/superset');
const ENDLESS =
  'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) AS x FROM c';
/** Days before the others on which copies of a trace claim to be recorded. */
const EARLIER_DAYS = [1, 2];

let traces: string;
let system: System;
let superset: Superset;
let browser: Browser;
let page: Page;
/** Hosts from which the browser has got anything. */
const finished = new Set<string>();

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  traces = mkdtempSync(join(tmpdir(), 'bigtrace-fleet-'));
  for (const path of [
    ...['recorded/chrome', 'recorded/linux', 'recorded/other', 'bad/gz-bad-crc.pftrace.gz'],
    'handmade/android-apps.pftrace',
  ])
    cpSync(join(CORPUS, path), join(traces, path), { recursive: true });
  const trace = readFileSync(join(CORPUS, 'recorded/chrome/fetch-a.pftrace'));
  for (const days of EARLIER_DAYS)
    writeFileSync(
      join(traces, `recorded/chrome/fetch-${days}.pftrace`),
      recordedEarlier(trace, days),
    );
  system = await startSystem({ traces, workers: 2 });
  await index();
  superset = await startSuperset(system);
  browser = await startBrowser();
  page = await browser.newPage({ viewport: { width: 1440, height: 2700 } });
  page.on('requestfinished', (request) => finished.add(new URL(request.url()).hostname));
  page.setDefaultTimeout(45_000);
});

afterAll(async () => {
  await browser?.close();
  await superset?.[Symbol.asyncDispose]();
  await system?.stop();
  rmSync(traces, { recursive: true, force: true });
});

afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') await shot(`failed: ${task.name}`);
});

async function index(): Promise<void> {
  await run(process.execPath, [
    ...[join(ROOT, 'cli/bigtrace.mjs'), 'index', '/local/**'],
    ...['--orchestrator', system.orchestrator, '--clickhouse', system.clickhouseHttp],
    ...['--password-file', join(system.dataDir, 'admin.password')],
  ]);
}

/** Runs a query with clickhouse-client and returns its rows. */
async function byClient(query: string): Promise<string[][]> {
  const port = system.clickhouseTcp.split(':').at(-1) ?? '';
  const login = ['--user', 'analyst', '--password', system.analystPassword];
  const args = ['--port', port, ...login, '--database', 'bigtrace', '--query', query];
  const { stdout } = await run('clickhouse-client', args, { maxBuffer: 2 ** 26 });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
}

async function shot(name: string): Promise<void> {
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
}

test('a user can log in', async () => {
  await logIn(page, superset.url);
  expect(new URL(page.url()).pathname).toBe('/superset/welcome/');
});

// This test must run before a dashboard is opened, because Superset then stores its colors in the dashboard.
test('running the setup again changes nothing', async () => {
  const before = await assets();
  const { code, logged } = await setUp(superset.env);
  expect(logged).toContain('29 assets imported');
  expect(code).toBe(0);
  expect(await assets()).toEqual(before);
});

/** Returns all rows of the tables that the import fills, without modification times. */
async function assets(): Promise<unknown> {
  const script = `
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.row_factory = sqlite3.Row
tables = "dbs tables table_columns sql_metrics slices dashboards dashboard_slices saved_query ab_user ab_role ab_permission_view_role".split()
dump = {t: sorted(json.dumps({k: str(v) for k, v in dict(r).items() if k not in ("changed_on", "last_saved_at") and (t, k) != ("dashboard_slices", "id")}) for r in db.execute(f"select * from {t}")) for t in tables}
print(json.dumps(dump))`;
  const { stdout } = await run('python3', ['-c', script, join(superset.home, 'superset.db')], {
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout);
}

test('SQL Lab returns rows of all traces and completes table names', async () => {
  const sql =
    "SELECT count() AS n, uniqExact(_trace_address) AS traces FROM bigtrace(traces=['/local/recorded/linux/*'], sql='SELECT dur FROM sched')";
  const button = await openLab(page, superset.url, 'lab', sql);
  const expected = await byClient(sql);
  await button.click();
  await page
    .getByText(expected[0]?.[0] ?? '', { exact: true })
    .first()
    .waitFor();
  // Superset loads the tables of a schema when its tree item is opened.
  await page
    .getByRole('treeitem')
    .filter({ hasText: /^\s*bigtrace\s*$/ })
    .first()
    .click();
  await page.getByRole('treeitem').filter({ hasText: 'failures' }).first().waitFor();
  expect(
    await page
      .getByRole('treeitem')
      .filter({ hasText: /^\s*failures\s*$/ })
      .count(),
  ).toBe(1);
  await page.locator('.ace_text-input').first().focus();
  await page.keyboard.press('Control+End');
  // The editor completes the word being typed, but not for keys that arrive before it has processed earlier ones.
  await page.keyboard.insertText('; SELECT * FROM ');
  await page.locator('.ace_content', { hasText: '; SELECT * FROM' }).first().waitFor();
  await page.keyboard.press('f');
  await page.locator('.ace_autocomplete:visible').waitFor();
  await page.keyboard.type('ailu');
  await page.locator('.ace_autocomplete:visible', { hasText: 'failures' }).waitFor();
  await shot('sql-lab');
  await page.keyboard.press('Escape');
});

test('SQL Lab shows the message of a TraceProcessor error', async () => {
  const sql =
    "SELECT * FROM bigtrace(traces=['/local/recorded/linux/idle.pftrace'], sql='SELECT nix FROM nowhere')";
  await (await openLab(page, superset.url, 'error', sql)).click();
  await page.getByText('no such table: nowhere').first().waitFor();
  await shot('sql-lab-error');
});

test('the Stop button cancels the query on the workers', async () => {
  const sql = `SELECT x FROM bigtrace(traces=['/local/recorded/linux/idle.pftrace'], sql='${ENDLESS}')`;
  const button = await openLab(page, superset.url, 'stop', sql);
  await button.click();
  await expect.poll(running, { timeout: 60_000 }).toBe(1);
  await button.filter({ hasText: 'Stop' }).click();
  await expect.poll(running, { timeout: 20_000 }).toBe(0);
  // Superset's own message, or ours, if the error of the query arrives before the answer to Stop.
  const stopped = page.getByRole('alert').filter({ hasText: /Query was stopped/ });
  await stopped.first().waitFor();
  expect(await page.getByText(/exception|QUERY_WAS_CANCELLED|disconnected/i).count()).toBe(0);
  await shot('sql-lab-stopped');
});

async function running(): Promise<number> {
  return Number(await system.sql('SELECT count() FROM progress'));
}

/** What the browser sent for each chart of the dashboard. */
let queries: Map<string, ChartQuery>;

test('the error for a query past its time limit is the same in both phases', async () => {
  for (const call of ['bigtrace(', "bigtrace_as(structure='x Int64', "]) {
    const sql = `SELECT x FROM ${call}traces=['/local/recorded/linux/idle.pftrace'], sql='${ENDLESS}') SETTINGS max_execution_time=1`;
    const answer = await page.request.post(`${superset.url}/api/v1/sqllab/execute/`, {
      data: { database_id: 1, schema: 'bigtrace', sql, runAsync: false, client_id: randomId() },
      headers: { 'X-CSRFToken': await csrfToken(), Referer: superset.url },
    });
    expect(await answer.text(), call).toContain('The query took longer than its time limit.');
  }
});

function randomId(): string {
  return randomUUID().slice(0, 10);
}

async function csrfToken(): Promise<string> {
  const answer = await page.request.get(`${superset.url}/api/v1/security/csrf_token/`);
  return ((await answer.json()) as { result: string }).result;
}

test('every chart of the dashboard shows data, and a second load comes from the cache', async () => {
  const first = await openDashboard(page, superset.url);
  for (const title of CHARTS) expect(first.results.get(title)?.error, title).toBeNull();
  for (const title of CHARTS)
    expect(first.results.get(title)?.rows.length, title).toBeGreaterThan(0);
  expect(await page.getByText(/unexpected error|no results|did not return/i).count()).toBe(0);
  await shot('dashboard');

  const second = await openDashboard(page, superset.url);
  await shot('dashboard-again');
  const remembered = CHARTS.filter((title) => title !== 'Failures in queries of late');
  for (const title of remembered) expect(second.results.get(title)?.cached, title).toBe(true);
  queries = second.queries;
  expect(second.dataMs).toBeLessThan(first.dataMs);
  console.log(`dashboard: ${first.dataMs} ms until all data was there, then ${second.dataMs} ms`);

  await expectSameCpuTime(first.results, byClient);
  await expectSameSlices(first.results, byClient);
  await expectSameTrend(first.results, byClient, 1 + EARLIER_DAYS.length);
  await expectLinks();
  await expectVisible(page, 'Long tasks on main threads (50 ms and more)', 'Longest, ms');
});

/** Checks that a chart links to the page that opens the trace, which reads its bytes. */
async function expectLinks(): Promise<void> {
  const link = page.locator('a', { hasText: 'compile-c.pftrace' }).first();
  const href = (await link.getAttribute('href')) ?? '';
  const id = /\/open\/([\w-]+)$/.exec(href)?.[1] ?? '';
  expect(Buffer.from(id, 'base64url').toString()).toBe('/local/recorded/linux/compile-c.pftrace');
  expect((await fetch(href)).headers.get('content-type')).toContain('text/html');
  const fetched = await fetch(new URL(`../trace/${id}/compile-c.pftrace`, href));
  const bytes = Buffer.from(await fetched.arrayBuffer());
  expect(bytes.equals(readFileSync(join(traces, 'recorded/linux/compile-c.pftrace')))).toBe(true);
}

test('a dashboard filter limits the traces of the query', async () => {
  const charts = listenToCharts(page);
  await page.getByRole('combobox', { name: 'Format' }).click();
  await page
    .getByRole('option', { name: 'json' })
    .or(page.locator('.ant-select-item-option', { hasText: /^json$/ }))
    .first()
    .click();
  await page
    .getByRole('button', { name: /^apply/i })
    .first()
    .click();
  const slices = (): ChartResult | undefined =>
    [...charts.results.values()].find(({ sql }) =>
      sql.includes('SELECT s.name AS name, coalesce(p.name'),
    );
  await expect.poll(slices, { timeout: 60_000 }).toBeDefined();
  expect(slices()?.error).toBeNull();
  expect(slices()?.sql).toContain("format IN (\\'json\\')");
  expect(Math.max(...(slices()?.rows ?? []).map((row) => Number(row['traces'])))).toBe(1);
  await shot('dashboard-filtered');
});

test('a chart compares slices before and after, by any property of the traces', async () => {
  const query = queries.get('Before and after, by slice');
  if (query === undefined) throw new Error('the dashboard has no comparison');
  await expectSameComparisons(query, (one) => runChart(page, superset.url, one), byClient);
});

test('every filter, alone and in pairs, leaves data or none, and no error', async () => {
  const overTraces = new Map(queries);
  overTraces.delete('Failures in queries of late');
  const run = (query: ChartQuery): Promise<ChartResult> => runChart(page, superset.url, query);
  expect(await complaintsAboutFilters(overTraces, 'Slowest slices', run, byClient)).toEqual([]);
});

test('filter values with special characters are quoted correctly', async () => {
  const nasty = ["it's", 'a\\', "\\'", "') OR 1 --", '%s %(x)s', '{{ 1 }}', 'é\n\t"`', "''"];
  const script = `
import json, sys
import bigtrace_sql
print(json.dumps([[bigtrace_sql.sql_string(x), bigtrace_sql.chosen_traces(lambda c: [x] if c == "address" else [])] for x in json.load(sys.stdin)]))`;
  const child = run('python', ['-c', script], {
    env: { ...superset.env, PYTHONPATH: join(ROOT, 'superset') },
  });
  child.child.stdin?.end(JSON.stringify(nasty));
  const quoted = JSON.parse((await child).stdout) as [string, string][];
  for (const [place, [literal, filter]] of quoted.entries()) {
    expect(JSON.parse(await system.sql(`SELECT ${literal} AS x FORMAT JSONEachRow`))).toEqual({
      x: nasty[place],
    });
    const query = `SELECT * FROM bigtrace_where(filter = ${filter}, sql = 'SELECT 1 AS one')`;
    expect(
      await system.sql(`SELECT count() FROM (${query}) WHERE _trace_address = ${literal}`),
    ).toBe('0\n');
  }
});

test('the pages permit nothing from third parties', async () => {
  const { headers } = await fetch(`${superset.url}/login/`);
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("img-src 'self' blob: data:;");
  expect(policy).not.toMatch(/https?:|\.(com|org|de|sh)/);
  expect([...finished]).toEqual(['127.0.0.1']);
});

test('SUPERSET_ASYNC_QUERIES enables queries in the background', async () => {
  const script = `
import pathlib, sys
import bigtrace_import
for said in ("", "true"):
    assets = bigtrace_import.assets_of(pathlib.Path(sys.argv[1]), {"SUPERSET_ASYNC_QUERIES": said})
    print("allow_run_async: true" in assets[bigtrace_import.DATABASE])`;
  const room = join(ROOT, 'superset');
  const { stdout } = await run('python', ['-c', script, join(room, 'assets')], {
    env: { ...superset.env, PYTHONPATH: room },
  });
  expect(stdout).toBe('False\nTrue\n');
});

test('the error for a wrong ClickHouse password names the variable to set', async () => {
  const wrong = { BIGTRACE_ANALYST_PASSWORD: 'wrong' };
  const started = await setUp({ ...superset.env, ...wrong });
  expect(started).toMatchObject({ code: 1 });
  expect(started.logged).toContain(
    'ClickHouse refuses the password of its user analyst. Put the right one into BIGTRACE_ANALYST_PASSWORD',
  );

  await using other = await restartServer(superset, wrong);
  // The session is still valid: cookies are not separated by port, and both servers have the same secret key.
  await (await openLab(page, other.url, 'refused', 'SELECT 1')).click();
  await page.getByText('Put the right one into BIGTRACE_ANALYST_PASSWORD').first().waitFor();
  await shot('wrong-password');
});
