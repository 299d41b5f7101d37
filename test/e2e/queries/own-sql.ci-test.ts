/** Tests registered SQL packages, trace summaries and blobs through the whole system. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../../lib/common/root.ts';
import { literal } from '../../../lib/common/text/sql-literal.ts';
import { BigtracePage, valuesOf } from '../../harness/http-page.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import { type System, startSystem } from '../../harness/system.ts';

let system: System;
let analyst: ClickHouseClient;
let page: BigtracePage;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bigtrace-own-sql-'));
  mkdirSync(join(directory, 'linux'));
  writeFileSync(
    join(directory, 'linux/busy.sql'),
    `CREATE PERFETTO VIEW fleet_busy AS
     SELECT utid, sum(dur) AS busy FROM sched WHERE dur > 0 AND utid != 0 GROUP BY utid`,
  );
  writeFileSync(join(directory, 'broken.sql'), 'SELECT nope FROM thread');
  system = await startSystem({ workers: 2, flags: ['--sql-package', `fleet=${directory}`] });
  analyst = clickhouseAs(system, 'analyst');
  page = new BigtracePage(system);
});
afterAll(async () => {
  await analyst?.close();
  await system?.stop();
});

async function bigtrace(...args: string[]): Promise<string> {
  const flags = ['--orchestrator', system.orchestrator];
  const command = [join(ROOT, 'cli/bigtrace.mjs'), ...args, ...flags];
  return (await promisify(execFile)(process.execPath, command)).stdout;
}

const LINUX = "traces=['/local/linux/*']";
const BUSY = 'SELECT utid, sum(dur) AS busy FROM sched WHERE dur > 0 AND utid != 0 GROUP BY utid';

function busyBy(source: string): Promise<unknown[][]> {
  return rowsOf(
    analyst,
    `SELECT _trace_address, count(), sum(busy) FROM ${source} GROUP BY 1 ORDER BY 1`,
  );
}

test('a module of a registered package returns the same rows as its SQL', async () => {
  const want = await busyBy(`bigtrace(${LINUX}, sql=${literal(BUSY)})`);
  expect(want.length).toBeGreaterThan(5);
  const sql = 'INCLUDE PERFETTO MODULE fleet.linux.busy; SELECT utid, busy FROM fleet_busy';
  for (const script of [sql, `${sql} ORDER BY busy`])
    expect(await busyBy(`bigtrace(${LINUX}, sql=${literal(script)})`)).toEqual(want);
  expect(await bigtrace('status')).toContain('\nSQL packages: fleet\n');
});

test('the error of a module that fails names the module', async () => {
  const sql = 'INCLUDE PERFETTO MODULE fleet.broken; SELECT 1';
  const message = await errorOf(analyst, `SELECT * FROM bigtrace(${LINUX}, sql=${literal(sql)})`);
  expect(message).toMatch(/no such column: nope[\s\S]*fleet\.broken/);
});

const SPEC = `
  metric_spec {
    id: "busy" dimensions: "utid" value: "busy"
    query { table { table_name: "fleet_busy" module_name: "fleet.linux.busy" } }
  }
  metric_template_spec {
    id_prefix: "cpu" dimensions: "kind" value_columns: "n" value_columns: "none"
    query { sql { sql: "SELECT 'it''s \\t é' AS kind, count(*) AS n, iif(count(*) > 3000, NULL, 1) AS none FROM sched" } }
  }`;

test('bigtrace_summary returns a row for each row of each metric', async () => {
  const summary = `bigtrace_summary(${LINUX}, spec=${literal(SPEC)})`;
  const described = await rowsOf(analyst, `DESCRIBE (SELECT * FROM ${summary})`);
  expect(described.map((row) => row.slice(0, 2))).toEqual([
    ['_trace_address', 'String'],
    ['metric_id', 'String'],
    ['dimensions', 'String'],
    ['value', 'Nullable(Float64)'],
  ]);
  const busy = await rowsOf(
    analyst,
    `SELECT _trace_address, JSONExtractInt(dimensions, 'utid'), toInt64(value) FROM ${summary}
     WHERE metric_id = 'busy' ORDER BY ALL`,
  );
  const want = await rowsOf(
    analyst,
    `SELECT _trace_address, utid, busy FROM bigtrace(${LINUX}, sql=${literal(BUSY)}) ORDER BY ALL`,
  );
  expect(busy).toEqual(want);
  const cpu = await rowsOf(
    analyst,
    `SELECT metric_id, JSONExtractString(dimensions, 'kind'), value FROM ${summary}
     WHERE metric_id LIKE 'cpu%' AND _trace_address LIKE '%/compile-c.%' ORDER BY ALL`,
  );
  expect(cpu).toEqual([
    ['cpu_n', "it's \t é", 3321],
    ['cpu_none', "it's \t é", null],
  ]);
  const message = await errorOf(
    analyst,
    `SELECT * FROM bigtrace_summary(${LINUX}, spec='metric_spec { nope: 1 }')`,
  );
  expect(message).toMatch(/nope/);
});

test('bigtrace query and the HTTP backend return summaries', async () => {
  const file = join(directory, 'spec.textproto');
  writeFileSync(file, SPEC);
  const traces = ['--traces', '/local/linux/compile-c.pftrace'];
  const csv = await bigtrace('query', ...traces, '--summary-spec', file, '--format', 'csv');
  const cpu = csv.split('\n').filter((line) => line.includes('cpu_n'));
  expect(cpu).toEqual([
    String.raw`/local/linux/compile-c.pftrace,cpu_n,"{""kind"":""it's \t é""}",3321`,
    String.raw`/local/linux/compile-c.pftrace,cpu_none,"{""kind"":""it's \t é""}",`,
  ]);
  const { body } = await page.post('/execute_bigtrace_query', {
    perfetto_sql: `SUMMARIZE TRACE ${SPEC}`,
    limit: 1000,
    settings: [{ setting_id: 'traces', values: ['/local/linux/compile-c.pftrace'] }],
  });
  expect(body.schema.map(({ type }: { type: string }) => type)).toEqual([
    ...['STRING', 'STRING', 'STRING', 'FLOAT64'],
  ]);
  expect(valuesOf(body).filter(([, metric]) => metric === 'cpu_none')).toEqual([
    ['/local/linux/compile-c.pftrace', 'cpu_none', String.raw`{"kind":"it's \t é"}`, null],
  ]);
});

test('blobs are exact BYTES over HTTP and strings in ClickHouse', async () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
  const blobs = [all, Buffer.of(), Buffer.of(0), Buffer.from([0xc3, 0x28, 0, 0xff]), null];
  const cells = blobs.map((blob) => (blob === null ? 'NULL' : `x'${blob.toString('hex')}'`));
  const sql = cells
    .map((cell, at) => `SELECT ${at} AS i, ${cell} AS \`a \`\`,b\`, 'x' AS text`)
    .join(' UNION ALL ');
  const settings = [{ setting_id: 'traces', values: ['/local/linux/idle.pftrace'] }];
  const request = { perfetto_sql: `${sql} ORDER BY i`, limit: 100, settings };
  const want = blobs.map((blob) => (blob === null ? null : blob.toString('base64')));
  const schema = [
    { name: '_trace_address', type: 'STRING' },
    { name: 'i', type: 'INT64' },
    { name: 'a `,b', type: 'BYTES' },
    { name: 'text', type: 'STRING' },
  ];
  const { body } = await page.post('/execute_bigtrace_query', request);
  expect(body.schema).toEqual(schema);
  expect(valuesOf(body).map((row) => row[2])).toEqual(want);

  const { uuid } = await page.run({ ...request, table_name: 'with_blobs' });
  const fetched = await page.post(`/query_executions/${uuid}:fetch_results`, {
    ...{ limit: 10, offset: 0, columns: ['i'], order_by: 'a `,b desc' },
    filters: [{ field: 'a `,b', op: '>=', value: Buffer.of(0).toString('base64') }],
  });
  expect(valuesOf(fetched.body)).toEqual([['3'], ['0'], ['2']]);
  expect((await page.get(`/query_executions/${uuid}`)).body.schema).toEqual(schema);
  const http = clickhouseAs(system.embedded, 'analyst');
  const stored = await rowsOf(
    http,
    'SELECT hex(`a \\`,b`), toTypeName(`a \\`,b`) FROM bigtrace_results.with_blobs ORDER BY i',
  );
  await http.close();
  expect(stored).toEqual(
    blobs.map((blob) => [
      blob === null ? null : blob.toString('hex').toUpperCase(),
      'Nullable(String)',
    ]),
  );
});
