/** Tests of `bigtrace index`, which fills the catalog, and of queries that choose traces by the catalog. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tarOf, zipOf } from '../../../lib/common/archive/testing.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { literal } from '../../../lib/common/text/sql-literal.ts';
import { CORPUS, corpusTraces } from '../../corpus/index.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import { type System, startSystem } from '../../harness/system.ts';

/** Traces of many formats, a few of which do not load. */
const USED = corpusTraces().filter(
  ({ path }) =>
    /^(recorded\/(linux|other)|handmade)\//.test(path) ||
    ['bad/text.txt', 'bad/gz-bad-crc.pftrace.gz', 'bad/empty.json'].includes(path),
);
const loading = USED.filter(({ loads }) => loads);

let root: string;
let system: System;
let analyst: ClickHouseClient;
let admin: ClickHouseClient;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'bigtrace-catalog-'));
  for (const { path } of USED) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    copyFileSync(join(CORPUS, path), join(root, path));
  }
  system = await startSystem({ workers: 2, traces: root });
  analyst = clickhouseAs(system, 'analyst');
  admin = clickhouseAs(system, 'admin');
});
afterAll(async () => {
  await analyst?.close();
  await admin?.close();
  await system?.stop();
  rmSync(root, { recursive: true, force: true });
});

function startIndex(...args: string[]): ChildProcess {
  return spawn(process.execPath, [join(ROOT, 'dist/bigtrace.js'), 'index', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      BIGTRACE_ORCHESTRATOR: system.orchestrator,
      BIGTRACE_CLICKHOUSE: system.clickhouseHttp,
      BIGTRACE_ADMIN_PASSWORD: system.adminPassword,
    },
  });
}

async function index(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = startIndex(...args);
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, out, err };
}

async function indexed(...args: string[]): Promise<Record<string, number>> {
  const { code, out, err } = await index(...args);
  expect(err).toBe('');
  expect(code).toBe(0);
  return JSON.parse(out) as Record<string, number>;
}

const TABLE = `SELECT * EXCEPT (indexed_at) FROM traces ORDER BY address`;

test('the first run reads every trace, the second none, and a run after a killed one completes the catalog', async () => {
  const first = await indexed('/local/**');
  expect(first).toMatchObject({
    listed: USED.length,
    read: USED.length,
    failed: USED.length - loading.length,
    vanished: 0,
  });
  const undisturbed = await rowsOf(analyst, TABLE);
  expect(undisturbed).toHaveLength(USED.length);
  expect(await indexed('/local/**')).toMatchObject({ listed: USED.length, read: 0 });

  await admin.command({ query: 'TRUNCATE TABLE bigtrace.trace_catalog' });
  const killed = startIndex('/local/**');
  await expect
    .poll(async () => (await rowsOf(admin, 'SELECT count() FROM trace_listing'))[0]?.[0], {
      timeout: 20_000,
    })
    .not.toBe('0');
  killed.kill('SIGKILL');
  await once(killed, 'close');
  await indexed('/local/**');
  expect(await rowsOf(analyst, TABLE)).toEqual(undisturbed);
}, 120_000);

test('the catalog has the duration of each trace, or the error code of one that does not load', async () => {
  const rows = await rowsOf(analyst, `SELECT address, duration, error_code FROM traces`);
  const found = new Map(rows.map(([address, duration, code]) => [address, [duration, code]]));
  for (const { path, loads, durationNs } of USED)
    expect([path, ...(found.get(`/local/${path}`) ?? [])]).toEqual(
      loads ? [path, durationNs, ''] : [path, null, 'trace_invalid'],
    );
});

test('the catalog has the verdicts empty and partial, and row counts', async () => {
  const rows = await rowsOf(
    analyst,
    `SELECT address, verdict FROM traces WHERE verdict NOT IN ('ok', '') ORDER BY address`,
  );
  const found = new Map(rows.map(([address, verdict]) => [address, verdict]));
  expect(found.get('/local/bad/empty.json')).toBe('empty');
  expect(found.get('/local/recorded/other/gcc.perf.data')).toBe('partial');
  const [[sum] = []] = await rowsOf(
    analyst,
    `SELECT sum(row_counts['sched']) FROM traces WHERE address LIKE '%/compile-c.pftrace'`,
  );
  expect(sum).toBe('3321');
  const chosen = await rowsOf(
    analyst,
    `SELECT DISTINCT _trace_address FROM bigtrace_where_lenient(filter='verdict = \\'empty\\'', sql='SELECT 1 AS one')`,
  );
  expect(chosen).toContainEqual(['/local/bad/empty.json']);
});

test('bigtrace_where queries the traces that a filter over the catalog chooses', async () => {
  const longer = loading.filter(({ durationNs }) => Number(durationNs) > 2e9);
  const rows = await rowsOf(
    analyst,
    `SELECT _trace_address, n FROM bigtrace_where(filter='duration > 2e9', sql='SELECT count(*) AS n FROM slice') ORDER BY 1`,
  );
  const expected = longer.map(({ path, counts }) => [`/local/${path}`, String(counts[0])]);
  expect(rows).toEqual(expected.toSorted());
  expect(expected.length).toBeGreaterThan(5);
});

test('rows of a query join the catalog on the trace address', async () => {
  const rows = await rowsOf(
    analyst,
    `SELECT t.system_name, count() FROM bigtrace(traces=['/local/recorded/linux/*'], sql='SELECT 1 AS one') AS b
     JOIN traces AS t ON t.address = b._trace_address GROUP BY 1`,
  );
  expect(rows).toEqual([['Linux', '11']]);
});

test.each([
  ['1; DROP TABLE bigtrace.trace_catalog', /Multi-statements/],
  ['1) UNION ALL SELECT 1 WHERE (1', /Syntax error/],
  [
    `address IN (SELECT a FROM url('http://127.0.0.1:1/', TSV, 'a String'))`,
    /Not enough privileges/,
  ],
  ['address IN (SELECT address FROM bigtrace.trace_labels)', /Not enough privileges/],
  ['nonsense = 1', /nonsense/],
  ['duration < 0', /no trace of bigtrace\.traces matches duration < 0/],
])('a filter is an expression over the catalog and no more: %s', async (filter, message) => {
  expect(
    await errorOf(
      analyst,
      `SELECT * FROM bigtrace_where(filter=${literal(filter)}, sql='SELECT 1 AS n')`,
    ),
  ).toMatch(message);
  expect(await rowsOf(analyst, 'SELECT count() FROM traces')).toEqual([[String(USED.length)]]);
});

test('a manifest and extra SQL add columns to the catalog', async () => {
  const manifest = join(root, '.manifest.csv');
  writeFileSync(
    manifest,
    'path,team,run\nrecorded/linux/idle.pftrace,"ker""nel",7\nrecorded/linux/gzip-cpu.pftrace,,8\n',
  );
  await indexed(
    '/local/**',
    '--manifest',
    manifest,
    '--extra-sql',
    'SELECT count(*) AS slices FROM slice',
  );
  const rows = await rowsOf(
    analyst,
    `SELECT address, team, run, slices, toTypeName(run), toTypeName(slices) FROM traces
     WHERE address LIKE '%/idle.pftrace' OR address LIKE '%/gzip-cpu.pftrace' ORDER BY 1 DESC`,
  );
  expect(rows).toEqual([
    [
      '/local/recorded/linux/idle.pftrace',
      'ker"nel',
      '7',
      '0',
      'Nullable(Int64)',
      'Nullable(Int64)',
    ],
    [
      '/local/recorded/linux/gzip-cpu.pftrace',
      '',
      '8',
      '605',
      'Nullable(Int64)',
      'Nullable(Int64)',
    ],
  ]);
  expect(await indexed('/local/**')).toMatchObject({ read: 0 });
});

test('a changed trace is read again, and a deleted trace is marked as vanished', async () => {
  const [gone, changed] = ['recorded/linux/idle.pftrace', 'recorded/linux/gzip-cpu.pftrace'];
  rmSync(join(root, gone));
  copyFileSync(join(CORPUS, 'recorded/linux/compile-c.pftrace'), join(root, changed));
  expect(await indexed('/local/recorded/**')).toMatchObject({ read: 1, vanished: 1 });
  const rows = await rowsOf(
    analyst,
    `SELECT address, vanished_at IS NOT NULL, duration FROM traces WHERE address IN ('/local/${gone}', '/local/${changed}') ORDER BY 1`,
  );
  const duration = USED.find(({ path }) => path.endsWith('/compile-c.pftrace'))?.durationNs;
  expect(rows).toEqual([
    [`/local/${changed}`, 0, duration],
    [`/local/${gone}`, 1, expect.any(String)],
  ]);
  const still = await rowsOf(
    analyst,
    `SELECT * FROM bigtrace_where(filter='1', sql='SELECT 1 AS n')`,
  ).catch((error: Error) => error.message);
  expect(still).toMatch(/does not load|bad\/|text\.txt|gz-bad-crc/);
});

test('every example of bigtrace.help runs, and the view traces keeps its comment', async () => {
  const examples = await rowsOf(analyst, `SELECT example FROM help WHERE example != ''`);
  expect(examples.length).toBeGreaterThan(15);
  for (const [example] of examples) {
    const loading = String(example).replaceAll("'/local/**'", "'/local/recorded/linux/*'");
    expect(await rowsOf(analyst, `SELECT count() FROM (${loading})`), loading).toHaveLength(1);
  }
  const comment = `SELECT comment FROM system.tables WHERE database = 'bigtrace' AND name = 'traces'`;
  expect(String(await rowsOf(analyst, comment))).toContain('one row per trace');
});

test('bigtrace index reports a pattern without matches and invalid extra SQL', async () => {
  const none = await index('/local/none/*');
  expect(none.code).not.toBe(0);
  expect(none.err).toContain('no trace matches /local/none/*');
  const { err } = await index('/local/**', '--extra-sql', 'SELECT nonsense');
  expect(err).toMatch(/no such column: nonsense/);
});

test('members of archives are traces of their own, in queries, failures and the catalog', async () => {
  const member = (name: string, path: string) => ({
    name,
    bytes: readFileSync(join(CORPUS, path)),
  });
  const compile = member('compile.pftrace', 'recorded/linux/compile-c.pftrace');
  const idle = member('deep/idle.pftrace', 'recorded/linux/idle.pftrace');
  const write = (name: string, bytes: Uint8Array): void =>
    writeFileSync(join(root, 'packs', name), bytes);
  mkdirSync(join(root, 'packs'));
  write('a.zip', zipOf(compile, idle));
  write('b.tar.gz', gzipSync(tarOf(idle)));
  const members = [
    'a.zip!/compile.pftrace',
    'a.zip!/deep/idle.pftrace',
    'b.tar.gz!/deep/idle.pftrace',
  ];
  const addresses = members.map((one) => `/local/packs/${one}`);
  const idleCount = USED.find(({ path }) => path.endsWith('linux/idle.pftrace'))?.counts[1];
  const counted = (view: string, traces: string): Promise<unknown[][]> =>
    rowsOf(
      analyst,
      `SELECT _trace_address, n FROM ${view}(traces=['${traces}'], sql='SELECT count(*) AS n FROM sched') ORDER BY 1`,
    );
  const expected = [3321, idleCount, idleCount].map((n, at) => [addresses[at], String(n)]);
  expect(await counted('bigtrace', '/local/packs/*!/**')).toEqual(expected);
  expect(await counted('bigtrace', addresses[1] ?? '')).toEqual([expected[1]]);

  write('cut.zip', zipOf(idle).subarray(0, -10));
  const failure = '[/local/packs/cut.zip!/*]: the zip data of the trace is cut short';
  await expect(counted('bigtrace', '/local/packs/*!/**')).rejects.toThrow(failure);
  expect(await counted('bigtrace_lenient', '/local/packs/*!/**')).toEqual(expected);

  expect(await indexed('/local/packs/*!/**')).toMatchObject({ listed: 4, read: 4, failed: 1 });
  write('a.zip', zipOf(compile));
  expect(await indexed('/local/packs/*!/**')).toMatchObject({ listed: 3, read: 1, vanished: 1 });
  const rows = `SELECT address, error_code, vanished_at IS NOT NULL FROM traces WHERE address LIKE '%!/%' ORDER BY 1`;
  const table = [
    [addresses[0], '', 0],
    [addresses[1], '', 1],
    [addresses[2], '', 0],
    ['/local/packs/cut.zip!/*', 'trace_invalid', 0],
  ];
  expect(await rowsOf(analyst, rows)).toEqual(table);
  await indexed('/local/packs/**'); // matches the archives, but none of their members
  expect(await rowsOf(analyst, rows)).toEqual(table);
});
