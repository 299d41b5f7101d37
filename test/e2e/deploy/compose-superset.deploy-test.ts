/** Tests `docker compose --profile superset up` and the data of the dashboard's charts through Superset's API. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { VERSION } from '../../../lib/common/version.ts';
import { type Compose, inspect, newCompose } from '../../harness/compose.ts';

const run = promisify(execFile);

type Row = Record<string, unknown>;

let system: Compose;
let token: string;

beforeAll(async () => {
  system = await newCompose(join(ROOT, 'samples/traces'));
  await system.compose('--profile', 'superset', 'up', '--no-build', '--detach', '--wait');
  await index();
  token = await logIn();
});
afterAll(() => system?.remove());

async function index(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-password-'));
  const passwordFile = join(directory, 'admin');
  writeFileSync(passwordFile, system.passwords.admin, { mode: 0o600 });
  await run(process.execPath, [
    ...[join(ROOT, 'cli/bigtrace.mjs'), 'index', '/local/**', '--password-file', passwordFile],
    ...['--orchestrator', `127.0.0.1:${system.orchestratorPort}`],
    ...['--clickhouse', `http://127.0.0.1:${system.httpPort}`],
  ]);
  rmSync(directory, { recursive: true });
}

async function logIn(): Promise<string> {
  const login = { username: 'admin', password: system.passwords.superset, provider: 'db' };
  return (await api<{ access_token: string }>('security/login', login)).access_token;
}

/** Sends a request to Superset's REST API: POST if there is a body, else GET. */
async function api<Answer>(path: string, body?: object): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${system.supersetPort}/api/v1/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

interface Chart {
  slice_name: string;
  form_data: {
    /** For example `3__table`. */
    datasource: string;
    x_axis?: string;
    groupby?: string[];
    all_columns?: string[];
    metrics?: (string | object)[];
  };
}

/** Returns the data rows of a chart. */
async function rowsOf({ slice_name: title, form_data }: Chart): Promise<Row[]> {
  const { datasource, x_axis, groupby, all_columns, metrics } = form_data;
  const columns = all_columns ?? [...(x_axis === undefined ? [] : [x_axis]), ...(groupby ?? [])];
  const { result } = await api<{ result: { data: Row[]; error: string | null }[] }>('chart/data', {
    datasource: { id: Number.parseInt(datasource, 10), type: 'table' },
    queries: [{ columns, ...(all_columns ? {} : { metrics }), row_limit: 10_000 }],
    result_format: 'json',
    result_type: 'full',
  });
  expect(result[0]?.error, title).toBeNull();
  return result[0]?.data ?? [];
}

/** Runs a query with Debian's clickhouse-client outside the containers. */
async function native(query: string): Promise<string[][]> {
  const { tcpPort, passwords } = system;
  const login = ['--host', '127.0.0.1', '--port', String(tcpPort), '--user', 'analyst'];
  const args = [...login, '--password', passwords.analyst, '--query', query];
  const { stdout } = await run('clickhouse-client', args);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
}

it('Superset runs unprivileged on a read-only root and is published on loopback only', async () => {
  const [id = ''] = await system.containers('superset');
  const { Config, HostConfig, NetworkSettings, State } = inspect<{
    Config: { User: string };
    HostConfig: { ReadonlyRootfs: boolean; CapDrop: string[]; Memory: number };
    NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[]> };
    State: { Health: { Status: string } };
  }>(id);
  expect(State.Health.Status).toBe('healthy');
  expect(Config.User).toBe('superset');
  expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'] });
  expect(HostConfig.Memory).toBeGreaterThan(0);
  expect(NetworkSettings.Ports['8088/tcp']).toEqual([
    { HostIp: '127.0.0.1', HostPort: String(system.supersetPort) },
  ]);
});

it('the image, the log and the process list of Superset contain no password', async () => {
  const [id = ''] = await system.containers('superset');
  const shown = await Promise.all([
    run('docker', [
      'history',
      '--no-trunc',
      '--format',
      '{{.CreatedBy}}',
      `bigtrace/superset:${VERSION}`,
    ]),
    run('docker', ['top', id, '-eo', 'pid,args']),
    run('docker', ['logs', id], { maxBuffer: 2 ** 26 }),
  ]);
  const text = shown.map(({ stdout, stderr }) => stdout + stderr).join('\n');
  for (const password of Object.values(system.passwords)) expect(text).not.toContain(password);
});

it('the charts of the dashboard show the same numbers as ClickHouse', async () => {
  const { result: charts } = await api<{ result: Chart[] }>('dashboard/fleet/charts');
  expect(charts).toHaveLength(10);
  const rows = new Map<string, Row[]>();
  for (const chart of charts) rows.set(chart.slice_name, await rowsOf(chart));
  for (const [title, found] of rows)
    if (!/^(Failures|Traces that do not load)/.test(title))
      expect(found.length, title).toBeGreaterThan(0);

  const [slowest] = await native(`
    SELECT name, count(), max(dur) / 1e6 FROM bigtrace(traces=['/local/**'],
      sql='SELECT name, dur FROM slice WHERE dur > 0 AND name IS NOT NULL')
    GROUP BY name ORDER BY max(dur) DESC, name LIMIT 1`);
  const slices = rows.get('Slowest slices')?.find(({ name }) => name === slowest?.[0]);
  expect([slices?.['slices'], slices?.['max_ms']]).toEqual(slowest?.slice(1).map(Number));

  const [busiest] = await native(`
    SELECT process, sum(ns) AS total FROM bigtrace(traces=['/local/**'], sql='
      SELECT coalesce(p.name, t.name, \\'\\') AS process, s.dur AS ns
      FROM sched_slice s JOIN thread t USING (utid) LEFT JOIN process p USING (upid)
      WHERE t.tid != 0 AND s.dur > 0')
    GROUP BY process ORDER BY total DESC LIMIT 1`);
  const cpu = rows.get('CPU time by process')?.find(({ process }) => process === busiest?.[0]);
  expect(cpu?.['cpu_time_s']).toBeCloseTo(Number(busiest?.[1]) / 1e9, 6);
});
