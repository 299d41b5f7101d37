/** Tests a call whose rows three servers of a ClickHouse cluster share: shares, sums, and servers that are killed. */
import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLAIN_CLUSTER, PLAIN_PART } from '../../../clickhouse/testing/plain.ts';
import { ROOT } from '../../../lib/common/root.ts';
import { literal } from '../../../lib/common/text/sql-literal.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import {
  install,
  type ResidentCluster,
  startResidentCluster,
} from '../../harness/resident/resident.ts';
import { type System, startSystem } from '../../harness/system.ts';
import { untilIdle, untilRunning } from '../../harness/workers.ts';

const TRACES = 24;
const ROWS = 20_000;
/** Rows of every trace: n from 1 to ROWS, with a text. */
const SCRIPT = `WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < ${ROWS})
  SELECT n, printf('%032d', n) AS s FROM t`;
const SUMS = [
  String(TRACES * ROWS),
  String(TRACES),
  String((TRACES * ROWS * (ROWS + 1)) / 2),
  String(TRACES * ROWS * 32),
];

let system: System;
let cluster: ResidentCluster;
let analysts: ClickHouseClient[];
let admins: ClickHouseClient[];
/** Of a user who may call clusterAllReplicas. */
let aggregators: ClickHouseClient[];

beforeAll(async () => {
  const traces = mkdtempSync(join(tmpdir(), 'bigtrace-copies-'));
  for (let nth = 0; nth < TRACES; nth++)
    copyFileSync(join(ROOT, 'samples/traces/linux/idle.pftrace'), join(traces, `${nth}.pftrace`));
  system = await startSystem({ workers: 2, traces });
  cluster = await startResidentCluster(system.orchestrator, 3);
  const clientsOf = (user: 'analyst' | 'admin' | 'aggregator'): ClickHouseClient[] =>
    cluster.servers.map(({ url, password }) =>
      clickhouseAs(
        { clickhouseHttp: url, adminPassword: password, analystPassword: password },
        user,
      ),
    );
  analysts = clientsOf('analyst');
  admins = clientsOf('admin');
  aggregators = clientsOf('aggregator');
});
afterAll(async () => {
  for (const client of [...(analysts ?? []), ...(admins ?? []), ...(aggregators ?? [])])
    await client.close();
  await cluster?.stop();
  await system?.stop();
});

/** Runs a query on one of the servers. */
const on = (clients: ClickHouseClient[], server: number, query: string): Promise<unknown[][]> =>
  rowsOf(clients[server] as ClickHouseClient, query);
const failureOn = (server: number, query: string): Promise<string> =>
  errorOf(analysts[server] as ClickHouseClient, query);

const ARGUMENTS = `cluster='${PLAIN_CLUSTER}', traces=['/local/*'], sql=`;
const sumsOf = (sql: string): string =>
  `SELECT count(), uniqExact(_trace_address), sum(n), sum(length(s)) FROM bigtrace_cluster(${ARGUMENTS}${literal(sql)})`;

async function bytesRead(server: number): Promise<number> {
  const query = "SELECT sum(value) FROM system.events WHERE event = 'ReadWriteBufferFromHTTPBytes'";
  return Number((await on(admins, server, query))[0]?.[0]);
}

test('bigtrace_cluster() returns every row once, whichever server is asked', async () => {
  for (const server of [0, 1]) expect(await on(analysts, server, sumsOf(SCRIPT))).toEqual([SUMS]);
  const described = await on(
    analysts,
    2,
    `DESCRIBE (SELECT * FROM bigtrace_cluster(${ARGUMENTS}${literal(SCRIPT)}))`,
  );
  expect(described.map((row) => row.slice(0, 2))).toEqual([
    ['_trace_address', 'String'],
    ['n', 'Nullable(Int64)'],
    ['s', 'Nullable(String)'],
  ]);
});

test('each server reads other traces, and aggregates what it has read', async () => {
  const before = await Promise.all([0, 1, 2].map(bytesRead));
  const share = `bigtrace.bigtrace_share(${ARGUMENTS}${literal(SCRIPT)})`;
  const shares = await on(
    aggregators,
    0,
    `SELECT server, rows, traces, total FROM clusterAllReplicas('${PLAIN_CLUSTER}', view(
       SELECT tcpPort() AS server, count() AS rows, arraySort(groupUniqArray(_trace_address)) AS traces, sum(n) AS total FROM ${share}))`,
  );
  const after = await Promise.all([0, 1, 2].map(bytesRead));
  expect(new Set(shares.map(([server]) => server)).size).toBe(3);
  const traces = shares.flatMap(([, , list]) => list as string[]);
  expect([traces.length, new Set(traces).size]).toEqual([TRACES, TRACES]);
  for (const [, rows, list] of shares) {
    expect(Number(rows)).toBe((list as string[]).length * ROWS);
    expect((list as string[]).length).toBeGreaterThan(0);
  }
  expect(shares.reduce((sum, [, , , total]) => sum + Number(total), 0)).toBe(Number(SUMS[2]));
  const bytes = after.map((each, server) => each - (before[server] ?? 0));
  for (const each of bytes) expect(each).toBeGreaterThan(ROWS * 41); // a row has so many bytes or more
  const pipeline = await on(
    aggregators,
    0,
    `EXPLAIN SELECT sum(n) FROM clusterAllReplicas('${PLAIN_CLUSTER}', view(SELECT n FROM ${share}))`,
  );
  expect(pipeline.join('\n')).toMatch(/MergingAggregated/);
  const refused = `SELECT n FROM clusterAllReplicas('${PLAIN_CLUSTER}', view(SELECT n FROM ${share}))`;
  expect(await failureOn(0, refused)).toContain('READ ON REMOTE');
});

test('the orchestrator runs one query, for the user who is logged in', async () => {
  const endless =
    'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) AS n FROM t';
  const running = failureOn(
    0,
    `SELECT n FROM bigtrace_cluster_as(structure='n Int64', ${ARGUMENTS}${literal(endless)}) SETTINGS max_execution_time = 10`,
  );
  await untilRunning(system);
  expect(await on(admins, 1, 'SELECT user, total_is_final FROM bigtrace.progress')).toEqual([
    ['analyst', true],
  ]);
  expect(await running).toMatch(/Timeout exceeded/);
  await untilIdle(system);
});

test('LIMIT ends the query on all servers', async () => {
  const endless = 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t';
  const rows = await on(
    analysts,
    0,
    `SELECT n FROM bigtrace_cluster_as(structure='n Int64', ${ARGUMENTS}${literal(endless)}) LIMIT 5`,
  );
  expect(rows).toHaveLength(5);
  await untilIdle(system);
});

test('calls that could lose or double rows are errors', async () => {
  const twice = `SELECT count() FROM (SELECT n FROM bigtrace_cluster(${ARGUMENTS}${literal(SCRIPT)})
    UNION ALL SELECT n FROM bigtrace_cluster(${ARGUMENTS}${literal(SCRIPT)}))`;
  expect(await failureOn(0, twice)).toContain('asks twice for its share of a query');
  expect(await failureOn(0, `${sumsOf(SCRIPT)} SETTINGS skip_unavailable_shards = 1`)).toContain(
    'with skip_unavailable_shards = 1 ClickHouse would leave out the rows of a lost server',
  );
  expect(await failureOn(0, sumsOf(SCRIPT).replace(PLAIN_CLUSTER, 'none'))).toContain(
    "cluster 'none'",
  );
  const two = `SELECT (SELECT sum(n) FROM bigtrace_cluster(${ARGUMENTS}${literal(SCRIPT)})),
    (SELECT sum(n) FROM bigtrace_cluster(${ARGUMENTS}${literal(`${SCRIPT} -- again`)}))`;
  expect(await on(analysts, 0, two)).toEqual([[SUMS[2], SUMS[2]]]);
});

test('a server that is not in the cluster may ask, and unknown arguments are errors there, too', async () => {
  const part = sumsOf(SCRIPT).replace(PLAIN_CLUSTER, PLAIN_PART);
  expect(await on(analysts, 2, part)).toEqual([SUMS]);
  for (const server of [0, 2])
    expect(
      await failureOn(server, part.replace(', sql=', ", on_failure='lenient', sql=")),
    ).toContain('bigtrace_cluster has no argument on_failure: it has cluster, traces, sql');
});

test('all servers of a query ask the same bridge, and each bridge runs some queries', async () => {
  const before = [...cluster.shares];
  const asked = (): number[] => cluster.shares.map((each, bridge) => each - (before[bridge] ?? 0));
  let queries = 0;
  for (; asked().includes(0); queries++)
    expect(await on(analysts, queries % 3, sumsOf(SCRIPT))).toEqual([SUMS]);
  expect(asked().reduce((sum, each) => sum + each)).toBe(3 * queries);
  for (const each of asked()) expect(each % 3).toBe(0);
});

test('install names the tables that are not replicated, on each server of the cluster', async () => {
  const [{ url = '', password = '' } = {}] = cluster.servers;
  const flags = ['--bridge', 'http://127.0.0.1:1', '--bridge-token-file', cluster.tokenFile];
  const failed = (name: string): Promise<string> =>
    install(url, password, [...flags, '--cluster', name, '--replicated']).then(
      () => '',
      (error: Error) => error.message,
    );
  await on(admins, 1, 'DROP TABLE bigtrace.http_logins SYNC');
  const ports = await Promise.all(
    [0, 1, 2].map(async (nth) => (await on(admins, nth, 'SELECT tcpPort()'))[0]?.[0]),
  );
  const messages = { all: await failed(PLAIN_CLUSTER), part: await failed(PLAIN_PART) };
  const named = (message: string, nth: number): string =>
    new RegExp(`on [^ ]+:${ports[nth]} ([^;]*);`).exec(message)?.[1] ?? '';
  for (const nth of [0, 1, 2]) {
    expect(named(messages.all, nth)).toMatch(
      nth === 1 ? /^manifest_parts, .*trace_listing/ : /^http_logins, .*trace_listing/,
    );
    expect(named(messages.part, nth) === '').toBe(nth === 2);
  }
  expect(await failed('none')).toContain("cluster 'none'");
});

test('an error of a trace ends the query on all servers', async () => {
  const overflow = `SELECT n, CASE WHEN n = 400000 THEN abs(-9223372036854775807 - 1) ELSE n END AS s
    FROM (WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 400000) SELECT n FROM t)`;
  expect(
    await failureOn(
      0,
      `SELECT count() FROM bigtrace_cluster_as(structure='n Int64, s Int64', ${ARGUMENTS}${literal(overflow)})`,
    ),
  ).toMatch(/\.pftrace\]: integer overflow .*\(sql_failed\)/s);
  await untilIdle(system);
});

test('a server that is killed during a query ends it with an error, and later queries are exact', async () => {
  const slow = `WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 2000000)
    SELECT n, 'x' AS s FROM t WHERE n % 1000 = 0`;
  const [, , third] = cluster.servers;
  const running = failureOn(0, sumsOf(slow));
  await untilRunning(system);
  await expect
    .poll(
      async () =>
        Number((await on(admins, 1, 'SELECT max(traces_done) FROM bigtrace.progress'))[0]?.[0]),
      {
        timeout: 60_000,
      },
    )
    .toBeGreaterThan(2);
  third?.kill();
  expect(await running).toMatch(
    /end of file|EOF|Connection (refused|reset)|All connection tries failed/i,
  );
  await untilIdle(system);
  expect(await failureOn(0, sumsOf(SCRIPT))).toMatch(/refused|All connection tries failed/);
  await third?.restart();
  expect(await on(analysts, 0, sumsOf(SCRIPT))).toEqual([SUMS]);
});
