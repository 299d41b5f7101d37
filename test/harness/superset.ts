/** Starts a real Superset next to a test system, and a browser. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Browser, chromium, type Page, type Response } from 'playwright-core';
import { freePort } from '../../lib/common/network/free-port.ts';
import { ROOT } from '../../lib/common/root.ts';
import { descendants, gone, type System } from './system.ts';

/** The programs that `test/harness/superset-install.sh` installs. */
const PYTHON = join(ROOT, 'node_modules/.cache/superset/bin');
const START_MS_MAX = 600_000;
const PASSWORD = 'of-the-tests';

export interface Superset extends AsyncDisposable {
  url: string;
  home: string;
  env: NodeJS.ProcessEnv;
}

/** Returns the environment with which superset/start.sh uses `system`. */
export function environmentOf(system: System, home: string, port: number): NodeJS.ProcessEnv {
  return {
    PATH: `${PYTHON}:${process.env['PATH']}`,
    HOME: home,
    PYTHONDONTWRITEBYTECODE: '1',
    SUPERSET_HOME: home,
    SUPERSET_BIND: `127.0.0.1:${port}`,
    SUPERSET_ADMIN_PASSWORD: PASSWORD,
    BIGTRACE_CLICKHOUSE: system.clickhouseHttp,
    BIGTRACE_ANALYST_PASSWORD: system.analystPassword,
    BIGTRACE_PUBLIC_URL: system.http,
  };
}

/** Runs `superset/start.sh --set-up-only` to its end; `logged` is its stdout and stderr. */
export async function setUp(env: NodeJS.ProcessEnv): Promise<{ code: number; logged: string }> {
  const script = join(ROOT, 'superset/start.sh');
  return promisify(execFile)('sh', [script, '--set-up-only'], { env, maxBuffer: 2 ** 26 }).then(
    ({ stdout, stderr }) => ({ code: 0, logged: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      logged: error.stdout + error.stderr,
    }),
  );
}

export async function startSuperset(system: System): Promise<Superset> {
  const home = mkdtempSync(join(tmpdir(), 'bigtrace-superset-'));
  const port = await freePort('127.0.0.1');
  const env = environmentOf(system, home, port);
  const server = await serve(env, join(ROOT, 'superset/start.sh'), []);
  return {
    url: `http://127.0.0.1:${port}`,
    home,
    env,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Starts a second server of a Superset that is set up already, with changes to its environment. */
export async function restartServer(
  superset: Superset,
  changes: NodeJS.ProcessEnv,
): Promise<AsyncDisposable & { url: string }> {
  const bind = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const room = join(ROOT, 'superset');
  const env = {
    ...superset.env,
    SUPERSET_CONFIG_PATH: join(room, 'superset_config.py'),
    PYTHONPATH: room,
    SUPERSET_BIND: bind,
    ...changes,
  };
  const command = `exec gunicorn --bind ${bind} --worker-class gthread --threads 4 "superset.app:create_app()"`;
  const server = await serve(env, '-c', [command]);
  return { url: `http://${bind}`, [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
}

async function serve(
  env: NodeJS.ProcessEnv,
  script: string,
  args: string[],
): Promise<AsyncDisposable> {
  const child = spawn('sh', [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): boolean => child.kill('SIGTERM');
  process.once('exit', end);
  let logged = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      logged = (logged + chunk.toString()).slice(-20_000);
    });
  const giveUp = performance.now() + START_MS_MAX;
  while (!(await isUp(`http://${env['SUPERSET_BIND']}/health`))) {
    if (child.exitCode !== null || performance.now() > giveUp) {
      child.kill('SIGKILL');
      throw new Error(`Superset did not come up:\n${logged}`);
    }
    await sleep(250);
  }
  return {
    [Symbol.asyncDispose]: async () => {
      process.off('exit', end);
      await stop(child);
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  const family = child.pid === undefined ? [] : descendants(child.pid);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  await gone(family);
}

async function isUp(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    // No sandbox, because the browser runs as root in CI; no connections except to Superset.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export async function logIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/login/`);
  await page.locator('input#username').fill('admin');
  await page.locator('input[type=password]').fill(PASSWORD);
  await page.locator('input[type=password]').press('Enter');
  await page.waitForURL(/welcome/);
}

/** Opens SQL Lab with a query and returns the button that runs and stops it. */
export async function openLab(
  page: Page,
  url: string,
  name: string,
  sql: string,
): Promise<ReturnType<Page['locator']>> {
  const query = new URLSearchParams({ new: 'true', dbid: '1', schema: 'bigtrace', name, sql });
  await page.goto(`${url}/sqllab?${query}`);
  const editor = page.locator('.ace_content', { hasText: 'SELECT' }).first();
  await editor.waitFor();
  return page.locator('[data-test="run-query-action"]:visible').first();
}

export interface ChartResult {
  rows: Record<string, unknown>[];
  cached: boolean;
  error: string | null;
  sql: string;
}

/** A question to Superset's chart-data API, as far as the tests read and change it. */
export interface ChartQuery {
  queries: { filters: { col: string; op: string; val: unknown }[] }[];
  force?: boolean;
}

/** Records the data requests and responses of charts, by chart ID. */
export function listenToCharts(page: Page): {
  results: Map<number, ChartResult>;
  queries: Map<number, ChartQuery>;
  /** Milliseconds from the first request to the last response so far. */
  elapsedMs(): number;
} {
  const results = new Map<number, ChartResult>();
  const queries = new Map<number, ChartQuery>();
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  page.on('request', (request) => {
    if (request.url().includes('/api/v1/chart/data')) first = Math.min(first, performance.now());
  });
  page.on('response', async (response) => {
    const id = chartOf(response);
    if (id === undefined) return;
    last = performance.now();
    queries.set(id, response.request().postDataJSON() as ChartQuery);
    results.set(id, resultOf((await response.json().catch(() => ({}))) as ChartBody));
  });
  return { results, queries, elapsedMs: () => Math.round(last - first) };
}

/** Sends a question to the chart-data API, as the logged-in user of the page. */
export async function runChart(page: Page, url: string, query: ChartQuery): Promise<ChartResult> {
  const response = await page.request.post(`${url}/api/v1/chart/data`, {
    data: query,
    timeout: 120_000,
    maxRetries: 3, // gunicorn closes idle connections, which may meet the next request
  });
  return resultOf((await response.json().catch(() => ({}))) as ChartBody);
}

function resultOf(body: ChartBody): ChartResult {
  const result = body.result?.[0];
  return {
    rows: result?.data ?? [],
    cached: result?.is_cached === true,
    error: result === undefined ? JSON.stringify(body) : (result.error ?? null),
    sql: result?.query ?? '',
  };
}

interface ChartBody {
  result?: {
    data?: Record<string, unknown>[];
    is_cached?: boolean | null;
    error?: string | null;
    query?: string;
  }[];
}

function chartOf(response: Response): number | undefined {
  const form = new URL(response.url()).searchParams.get('form_data');
  if (!response.url().includes('/api/v1/chart/data') || form === null) return undefined;
  return (JSON.parse(form) as { slice_id?: number }).slice_id;
}
