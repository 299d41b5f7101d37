/** Tests the first queries of a new user: the query of the README, DESCRIBE, a join, errors, and missing privileges. */
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import { type System, startSystem } from '../../harness/system.ts';

let system: System;
let analyst: ClickHouseClient;

beforeAll(async () => {
  system = await startSystem({ workers: 2 });
  analyst = clickhouseAs(system, 'analyst');
});
afterAll(async () => {
  await analyst?.close();
  await system?.stop();
});

const README_QUERY = `SELECT name, count() AS n, quantile(0.95)(dur)/1e6 AS p95_ms
  FROM bigtrace(traces=['/local/**'], sql='SELECT name, dur FROM slice')
  GROUP BY name ORDER BY n DESC LIMIT 10`;

test('the query of the README returns the same rows over plain HTTP and through @clickhouse/client', async () => {
  const rows = await rowsOf(analyst, README_QUERY);
  expect(rows).toHaveLength(10);
  const counts = rows.map((row) => Number(row[1]));
  expect(counts).toEqual(counts.toSorted((a, b) => b - a));
  expect(counts[0]).toBeGreaterThan(1000);

  const response = await fetch(`${system.clickhouseHttp}/?default_format=JSONCompactEachRow`, {
    method: 'POST',
    body: README_QUERY,
    headers: { 'X-ClickHouse-User': 'analyst', 'X-ClickHouse-Key': system.analystPassword },
  });
  const lines = (await response.text()).trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as unknown[])[0])).toEqual(
    rows.map((row) => row[0]),
  );
});

test('DESCRIBE returns the column types, with the trace address first', async () => {
  const rows = await rowsOf(
    analyst,
    `DESCRIBE (SELECT * FROM bigtrace(traces=['/local/**'],
       sql='SELECT ts, name, dur, 0.5 AS half, NULL AS missing FROM slice'))`,
  );
  expect(rows.map((row) => row.slice(0, 2))).toEqual([
    ['_trace_address', 'String'],
    ['ts', 'Nullable(Int64)'],
    ['name', 'Nullable(String)'],
    ['dur', 'Nullable(Int64)'],
    ['half', 'Nullable(Float64)'],
    ['missing', 'Nullable(Int64)'], // the column has only NULLs; every aggregate accepts a number type
  ]);
});

test('two calls can be joined on the trace address', async () => {
  const rows = await rowsOf(
    analyst,
    `SELECT s._trace_address, s.n, t.n FROM bigtrace(traces=['/local/**'], sql='SELECT count(*) AS n FROM slice') AS s
     JOIN bigtrace(traces=['/local/**'], sql='SELECT count(*) AS n FROM thread') AS t USING (_trace_address)
     ORDER BY 1`,
  );
  expect(rows.length).toBeGreaterThanOrEqual(3);
  for (const [address, , threads] of rows) {
    expect(address).toMatch(/^\/local\//);
    expect(Number(threads)).toBeGreaterThan(0);
  }
});

test('bigtrace_as takes the columns, and a script may have several statements', async () => {
  const rows = await rowsOf(
    analyst,
    `SELECT sum(n) FROM bigtrace_as(structure='n UInt64', traces=['/local/**'],
       sql='CREATE PERFETTO TABLE mine AS SELECT 7 AS n; SELECT n FROM mine')
     GROUP BY _trace_address`,
  );
  expect(new Set(rows.map((row) => row[0]))).toEqual(new Set(['7']));
});

test('the user analyst can neither use other table functions nor create tables', async () => {
  for (const table of [
    `executable('bigtrace query', TSV, 'a String')`,
    `url('http://127.0.0.1:1/', TSV, 'a String')`,
    `file('/etc/passwd', TSV, 'a String')`,
  ]) {
    expect(await errorOf(analyst, `SELECT * FROM ${table}`)).toMatch(
      /ACCESS_DENIED|Not enough privileges/,
    );
  }
  expect(await errorOf(analyst, `CREATE TABLE mine (a String) ENGINE = Memory`)).toMatch(
    /ACCESS_DENIED|readonly|Not enough privileges/,
  );
});

test.each([
  [
    'SQL error',
    `traces=['/local/**'], sql='SELECT nonsense FROM slice'`,
    /no such column: nonsense/,
  ],
  ['no such trace', `traces=['/local/none.pftrace'], sql='SELECT 1'`, /\/local\/none\.pftrace/],
  ['pattern without match', `traces=['/local/none*'], sql='SELECT 1'`, /\/local\/none\*/],
  ['outside the root', `traces=['/local/../../../etc/passwd'], sql='SELECT 1'`, /etc\/passwd/],
  ['unknown store', `traces=['/nowhere/x'], sql='SELECT 1'`, /nowhere/],
  ['no address', `traces=['trace'], sql='SELECT 1'`, /must start with \//],
  ['empty list', `traces=[], sql='SELECT 1'`, /no traces|empty/i],
  ['empty SQL', `traces=['/local/**'], sql=''`, /SQL/],
])('an error reaches the client: %s', async (_what, args, message) => {
  expect(await errorOf(analyst, `SELECT * FROM bigtrace(${args})`)).toMatch(message);
  expect(
    await errorOf(analyst, `SELECT * FROM bigtrace_as(structure='a String', ${args})`),
  ).toMatch(message);
});
