/**
 * Tests the resident bridge in a ClickHouse of somebody else: who may use it, as whom queries run, errors, long scripts,
 * every view, and uninstalling.
 */
import { writeFileSync } from 'node:fs';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { READ_BUFFER_BYTES } from '../../../bridge/service/blocks.ts';
import { generatedSql } from '../../../clickhouse/views/query-views.mjs';
import { literal } from '../../../lib/common/text/sql-literal.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';

import {
  install,
  installWithDefiner,
  type Resident,
  startBridge,
  statementsOf,
  uninstall,
} from '../../harness/resident/resident.ts';
import { type System, startSystem } from '../../harness/system.ts';
import { untilIdle, untilRunning } from '../../harness/workers.ts';

let system: System;
let analyst: ClickHouseClient;
let admin: ClickHouseClient;

beforeAll(async () => {
  system = await startSystem({ workers: 2, resident: true });
  analyst = clickhouseAs(system, 'analyst');
  admin = clickhouseAs(system, 'admin');
});
afterAll(async () => {
  await analyst?.close();
  await admin?.close();
  await system?.stop();
});

function resident(): Resident {
  if (system.resident === undefined) throw new Error('the system has no resident bridge');
  return system.resident;
}

/** A script that never ends and never returns a row. */
const ENDLESS =
  'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) AS n FROM t';
const TRACE = "traces=['/local/linux/idle.pftrace']";

test('nothing of Bigtrace is in this ClickHouse but tables, views and the collection', async () => {
  expect(
    await rowsOf(
      admin,
      `SELECT (SELECT count() FROM system.functions WHERE name LIKE 'bigtrace%'),
         (SELECT count() FROM system.settings_profiles WHERE name LIKE 'bigtrace%'),
         (SELECT count() FROM system.users WHERE name LIKE 'bigtrace%'),
         (SELECT groupArray(name) FROM system.named_collections)`,
    ),
  ).toEqual([['0', '0', '0', ['bigtrace_bridge']]]);
  expect(await errorOf(admin, "SELECT * FROM executable('bigtrace', TSV, 'a String')")).toMatch(
    /bigtrace/,
  );
});

test('an analyst can neither call the bridge nor read its token', async () => {
  const request = `headers('X-Bigtrace-Command' = 'progress')`;
  for (const query of [
    `SELECT * FROM url(bigtrace_bridge, format = 'TSV', structure = 'a String', ${request})`,
    `SELECT * FROM url('http://127.0.0.1:1/', TSV, 'a String')`,
    `CREATE VIEW bigtrace.mine DEFINER = traces_definer SQL SECURITY DEFINER AS SELECT 1`,
  ])
    expect(await errorOf(analyst, query)).toMatch(/ACCESS_DENIED|Not enough privileges|readonly/);
  const [[shown] = []] = await rowsOf(
    admin,
    "SELECT toString(collection) FROM system.named_collections WHERE name = 'bigtrace_bridge'",
  );
  expect(String(shown)).toContain('[HIDDEN]');
  expect(
    await rowsOf(analyst, 'SELECT count() FROM system.named_collections').catch(String),
  ).not.toEqual([['1']]);
});

test('the user of a query is the one who is logged in', async () => {
  const queryId = crypto.randomUUID();
  const running = analyst
    .query({
      query: `SELECT * FROM bigtrace_as(structure='n Int64', ${TRACE}, sql=${literal(ENDLESS)})`,
      query_id: queryId,
      clickhouse_settings: { log_comment: '{"user":"admin"}' },
    })
    .then((response) => response.text())
    .catch((thrown: Error) => thrown.message);
  let users: unknown[][] = [];
  const giveUp = performance.now() + 60_000;
  while (users.length === 0 && performance.now() < giveUp)
    users = await rowsOf(admin, `SELECT user FROM bigtrace.progress WHERE query_id = '${queryId}'`);
  await admin.command({ query: `KILL QUERY WHERE query_id = '${queryId}' SYNC` });
  await running;
  expect(users).toEqual([['analyst']]);
});

test('an error after the first rows reaches the client', async () => {
  const sql = `SELECT n, CASE WHEN n = 400000 THEN abs(-9223372036854775807 - 1) ELSE n END AS v
    FROM (WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 400000) SELECT n FROM t)`;
  const message = await errorOf(
    analyst,
    `SELECT n, v FROM bigtrace_as(structure='n Int64, v Int64', ${TRACE}, sql=${literal(sql)})`,
  );
  expect(message).toMatch(/\[\/local\/linux\/idle\.pftrace\]: integer overflow .*\(sql_failed\)/s);
});

test('a script of 200 KB and a list of 2,000 addresses arrive whole', async () => {
  const long = `SELECT length('${'x'.repeat(200_000)}') AS n`;
  expect(await rowsOf(analyst, `SELECT n FROM bigtrace(${TRACE}, sql=${literal(long)})`)).toEqual([
    ['200000'],
  ]);
  const addresses = Array.from({ length: 2000 }, (_, nth) => `'/local/none/${nth}'`);
  const list = `traces=['/local/linux/idle.pftrace', ${addresses.join(', ')}]`;
  expect(
    await rowsOf(
      analyst,
      `SELECT count() FROM bigtrace_answers_as(structure='n Int64', ${list}, sql='SELECT 1 AS n') WHERE _hb = 2`,
    ),
  ).toEqual([['2000']]);
});

test('every kind of view returns its rows', async () => {
  expect(
    await rowsOf(
      analyst,
      `SELECT n FROM bigtrace_lenient(traces=['/local/linux/idle.pftrace', '/local/none'], sql='SELECT 7 AS n')`,
    ),
  ).toEqual([['7']]);
  await admin.command({
    query: `CREATE TABLE bigtrace.chosen (address String) ENGINE = MergeTree ORDER BY address AS
      SELECT * FROM values('address String', '/local/linux/idle.pftrace', '/local/linux/compile-c.pftrace')`,
  });
  const table = `table='chosen', on_failure='strict', sql='SELECT 1 AS n'`;
  for (const view of [
    `bigtrace_table(sample=['/local/linux/idle.pftrace'], ${table})`,
    `bigtrace_table_as(structure='n Int64', ${table})`,
  ])
    expect(await rowsOf(analyst, `SELECT _trace_address, n FROM ${view} ORDER BY 1`)).toEqual([
      ['/local/linux/compile-c.pftrace', '1'],
      ['/local/linux/idle.pftrace', '1'],
    ]);
  const spec = `metric_spec { id: "slices" value: "n" query { sql { sql: "SELECT 5 AS n" } } }`;
  expect(
    await rowsOf(
      analyst,
      `SELECT metric_id, value FROM bigtrace_summary(${TRACE}, spec=${literal(spec)})`,
    ),
  ).toEqual([['slices', 5]]);
  expect(
    await rowsOf(
      analyst,
      `SELECT trace, code FROM bigtrace.failures WHERE trace = '/local/none' LIMIT 1`,
    ),
  ).toEqual([['/local/none', 'trace_not_found']]);
  expect(
    await errorOf(
      analyst,
      `SELECT * FROM bigtrace(${TRACE}, sql='SELECT 1', on_failure='lenient')`,
    ),
  ).toContain('bigtrace has no argument on_failure');
});

test('settings of the user who runs a query do not change its result', async () => {
  const sql = `SELECT NULL AS s, 7 AS i UNION ALL SELECT 'x', 8`;
  const query = `SELECT * FROM bigtrace(${TRACE}, sql=${literal(sql)}) ORDER BY i`;
  const [trace] = /\/local[^']*/.exec(TRACE) ?? [];
  for (const setting of [
    'input_format_native_decode_types_in_binary_format = 1',
    'output_format_native_encode_types_in_binary_format = 1',
    'input_format_native_allow_types_conversion = 0',
    'data_type_default_nullable = 1',
    'input_format_tsv_skip_first_lines = 1',
    "compatibility = '18.16'",
    "additional_table_filters = {'system.one': '0'}",
    'http_max_tries = 10, http_make_head_request = 1, max_read_buffer_size = 1048576',
    "url_base = 'http://127.0.0.1:1/'",
    "enable_parallel_replicas = 1, parallel_replicas_for_cluster_engines = 1, cluster_for_parallel_replicas = 'default'",
  ])
    expect([setting, await rowsOf(analyst, `${query} SETTINGS ${setting}`)]).toEqual([
      setting,
      [
        [trace, null, '7'],
        [trace, 'x', '8'],
      ],
    ]);
});

test('ClickHouse parses all statements of install and uninstall, also ON CLUSTER and for users', async () => {
  const bridge = ['--bridge', resident().bridge, '--bridge-token-file', resident().tokenFile];
  const services = ['--service-password-file', resident().tokenFile];
  for (const cluster of [[], ['--cluster', 'main']]) {
    const more = cluster.length === 0 ? [] : ['--replicated'];
    const statements = [
      ...(await statementsOf('install', [...bridge, ...services, ...cluster, ...more])),
      ...(await statementsOf('uninstall', cluster)),
    ];
    expect(
      statements.filter((one) => /^(CREATE USER|CREATE ROLE|GRANT|DROP USER)/.test(one)),
    ).toHaveLength(29);
    const parsed = await rowsOf(
      admin,
      `SELECT count() FROM values('statement String', ${statements.map((one) => `(${literal(one)})`).join(', ')})
       WHERE formatQuery(statement) LIKE '% ON CLUSTER main%'`,
      { max_query_size: 2 ** 24 },
    );
    const definitions = statements.filter((one) => !one.startsWith('INSERT'));
    expect(parsed).toEqual([[cluster.length === 0 ? '0' : String(definitions.length)]]);
  }
});

test('install names the tables that exist and are not replicated', async () => {
  const { clickhouseHttp, adminPassword, bridge, tokenFile } = resident();
  const flags = ['--bridge', bridge, '--bridge-token-file', tokenFile, '--replicated'];
  await expect(install(clickhouseHttp, adminPassword, flags)).rejects.toThrow(
    /these tables of the database bigtrace exist and are not replicated: on [^ ]+:\d+ http_logins, .*trace_listing; copy/,
  );
});

test('install names --definer where no statement can create a user, and changes nothing', async () => {
  const { clickhouseHttp, adminPassword } = resident();
  const before = await rowsOf(admin, 'SELECT create_query FROM system.named_collections');
  await expect(
    installWithDefiner(clickhouseHttp, adminPassword, 'http://127.0.0.1:1'),
  ).rejects.toThrow(/keeps its users in users_xml only.* name it with --definer/);
  const after = await rowsOf(admin, 'SELECT create_query FROM system.named_collections');
  expect(after).toEqual(before);
});

test('the bridge reads a table with more than 10,000 addresses itself, if it may', async () => {
  await admin.command({
    query: `CREATE TABLE bigtrace.many (address String) ENGINE = MergeTree ORDER BY address AS
      SELECT if(number = 0, '/local/linux/idle.pftrace', concat('/local/none/', toString(number))) FROM numbers(10001)`,
  });
  const query = `SELECT n FROM bigtrace_table_as(structure='n Int64', table='many', on_failure='lenient', sql='SELECT 1 AS n')`;
  expect(await errorOf(analyst, query)).toContain(
    'table many has too many addresses for a request: start bigtrace bridge with --clickhouse',
  );
  const { clickhouseHttp, adminPassword, tokenFile } = resident();
  const passwordFile = `${tokenFile}.admin`;
  writeFileSync(passwordFile, adminPassword, { mode: 0o600 });
  const reading = await startBridge(system.orchestrator, tokenFile, [
    ...['--clickhouse', clickhouseHttp, '--clickhouse-user', 'admin'],
    ...['--clickhouse-password-file', passwordFile],
  ]);
  const token = ['--bridge-token-file', tokenFile];
  try {
    await install(clickhouseHttp, adminPassword, ['--bridge', reading.url, ...token]);
    expect(await rowsOf(analyst, query)).toEqual([['1']]);
  } finally {
    await install(clickhouseHttp, adminPassword, ['--bridge', resident().bridge, ...token]);
    await reading.stop();
  }
});

test('a bridge that is killed ends its queries with an error, and uninstall leaves tables only', async () => {
  const running = errorOf(
    analyst,
    `SELECT * FROM bigtrace_as(structure='n Int64', ${TRACE}, sql=${literal(ENDLESS)})`,
  );
  await untilRunning(system);
  resident().kill('bridge');
  expect(await running).toMatch(/EOF|No message received|Connection reset/);
  await untilIdle(system);
  await uninstall(resident());
  expect(
    await rowsOf(
      admin,
      `SELECT (SELECT count() FROM system.tables WHERE database = 'bigtrace' AND engine = 'View'),
         (SELECT count() FROM system.named_collections),
         (SELECT count() FROM system.tables WHERE database = 'bigtrace' AND name = 'trace_catalog')`,
    ),
  ).toEqual([['0', '0', '1']]);
});

test('ClickHouse reads as much at once as a heartbeat has bytes', () => {
  for (const [path, sql] of generatedSql('Native'))
    if (path.startsWith('sql-resident/') && sql.includes('FROM url('))
      expect(sql).toContain(`max_read_buffer_size = ${READ_BUFFER_BYTES},`);
});
