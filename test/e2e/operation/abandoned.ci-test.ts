/** Tests that the work for a query ends soon, and that nothing leaks, if its client disconnects in any phase. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OrchestratorClient } from '../../../lib/client/orchestrator-client.ts';
import { listen, type RunningServer } from '../../../lib/trace-store/testing/listen.ts';
import { CORPUS } from '../../corpus/index.ts';
import { AbandonedQueries, PHASES, type Phase, phaseOf } from '../../harness/abandoned.ts';
import { openFiles, runningBridges } from '../../harness/leftovers.ts';
import { clickhouseAs, rowsOf } from '../../harness/queries.ts';
import { type System, startSystem } from '../../harness/system.ts';
import { statusOf, untilIdle } from '../../harness/workers.ts';

/** Abandoned queries in each phase. test/e2e/operation/load.ci-test.ts abandons 2,000 at random times. */
const ABANDONED = Number(process.env['BIGTRACE_ABANDONED_EACH'] ?? 5);

/** Concurrent clients: more than there are engine threads, so that some tasks always wait. */
const AT_ONCE = 6;

/** A trace that the engine never finishes loading. */
const ENDLESS_TRACE = '/local/bad/json-counter-nan.json';
const GOOD = '/local/recorded/linux/gzip-cpu.pftrace';
const NUMBERS = 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t)';
const ENDLESS_SQL = `${NUMBERS} SELECT max(n) AS n FROM t`;
const ENDLESS_ROWS = `${NUMBERS} SELECT n FROM t`;

let slow: RunningServer;
let system: System;
let admin: ClickHouseClient;
let client: OrchestratorClient;
let abandoned: AbandonedQueries;

beforeAll(async () => {
  slow = await listen(slowServer());
  const env = { BIGTRACE_HTTP_HOSTS: slow.host, BIGTRACE_HTTP_PRIVATE: 'true' };
  system = await startSystem({ traces: CORPUS, workers: 1, threads: 2, env });
  admin = clickhouseAs(system, 'admin');
  client = new OrchestratorClient(system.orchestrator);
  abandoned = new AbandonedQueries(system, client, admin);
  await system.sql(`SELECT * FROM bigtrace(traces=['${GOOD}'], sql='SELECT 1 AS x')`);
});
afterAll(async () => {
  client?.close();
  await admin?.close();
  await system?.stop();
  await slow?.close();
});

/** Returns a server whose files have a size of 1 MiB but of which it sends only the first byte. */
function slowServer(): Server {
  return createServer((request, response: ServerResponse) => {
    response.writeHead(200, { 'content-length': 1 << 20, etag: '"same"' });
    if (request.method === 'HEAD') response.end();
    else response.write('\n');
  });
}

let queries = 0;

/** Returns a trace and a script with which a query reaches the phase and stays in it. */
function queryFor(phase: Phase): { trace: string; sql: string } {
  queries += 1;
  if (phase === 'reading') return { trace: `/http/${slow.host}/${queries}`, sql: 'SELECT 1 AS n' };
  if (phase === 'parsing') return { trace: ENDLESS_TRACE, sql: `SELECT ${queries} AS n` };
  if (phase === 'sending rows') return { trace: GOOD, sql: ENDLESS_ROWS };
  return { trace: GOOD, sql: ENDLESS_SQL };
}

/** Starts a query over gRPC and disconnects as soon as it is in the phase, or when `enough` aborts. */
async function abandonQuery(phase: Phase, user: string, enough: AbortSignal): Promise<void> {
  const queryId = crypto.randomUUID();
  const { trace, sql } = queryFor(phase);
  const start = { queryId, sql: Buffer.from(sql), onFailure: 'STRICT', user } as const;
  const request = { ...start, progressIntervalMs: 20 };
  try {
    for await (const event of client.query(request, [[Buffer.from(trace)]], enough)) {
      if (phaseOf(event) !== phase) continue;
      abandoned.add(queryId, phase);
      return; // leaving the loop cancels the call
    }
  } catch (thrown) {
    if (!enough.aborted) throw thrown;
  }
}

/** Starts a query through ClickHouse and disconnects as soon as it is in the phase, or when `enough` aborts. */
async function abandonSql(phase: Phase, enough: AbortSignal): Promise<void> {
  const queryId = crypto.randomUUID();
  const mode = phase === 'finding columns' ? 'TYPES' : 'ROWS';
  const view = mode === 'TYPES' ? 'bigtrace(' : "bigtrace_as(structure='n Int64', ";
  const query = `SELECT * FROM ${view}traces=['${GOOD}'], sql='${ENDLESS_SQL}')`;
  const abort = new AbortController();
  const response = system
    .sql(query, {
      settings: { query_id: queryId },
      signal: AbortSignal.any([abort.signal, enough]),
    })
    .then(
      () => 'it ended',
      (error: Error) => (error.name === 'AbortError' ? 'abandoned' : error.message),
    );
  const ended = response.then(() => true);
  const isThere = async (): Promise<boolean> => {
    const { running = [] } = await statusOf(system.workers[0] ?? '');
    return running.some((one) => one.queryId === queryId && one.mode === mode);
  };
  while (!(await isThere())) if (await Promise.race([ended, after(50)])) break;
  if (!(await Promise.race([ended, after(0)]))) abandoned.add(queryId, phase);
  abort.abort();
  expect(await response).toMatch(/^abandoned$|too.many/);
}

function after(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), ms));
}

/** Runs concurrent clients until ABANDONED queries were abandoned in the phase. */
async function abandonIn(phase: Phase): Promise<void> {
  const byClickHouse = phase === 'finding columns' || phase.endsWith('ClickHouse');
  const enough = new AbortController();
  const abandon = async (_: unknown, at: number): Promise<void> => {
    while (!enough.signal.aborted) {
      if (byClickHouse) await abandonSql(phase, enough.signal);
      else await abandonQuery(phase, `client-${at}`, enough.signal);
      if (abandoned.count(phase) >= ABANDONED) enough.abort();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, abandon));
}

test(`${ABANDONED} abandoned queries in each phase are cancelled and leak nothing`, async () => {
  await untilIdle(system);
  await expect.poll(() => runningBridges(system), { timeout: 60_000 }).toBe(0);
  const before = openFiles(system);
  const watching = abandoned.watch();
  for (const phase of PHASES) await abandonIn(phase);
  await expect.poll(() => abandoned.left, { timeout: 60_000, interval: 100 }).toEqual([]);
  abandoned.close();
  await watching;
  console.log(abandoned.report());
  const leftOver = async (): Promise<unknown> => {
    const { tasksRunning, tasksQueued } = await statusOf(system.workers[0] ?? '');
    const { queriesRunning, query } = await client.status();
    return { tasksRunning, tasksQueued, queriesRunning, query, bridges: runningBridges(system) };
  };
  await expect.poll(leftOver, { timeout: 60_000, interval: 200 }).toEqual({
    ...{ tasksRunning: 0, tasksQueued: 0, queriesRunning: 0, query: [], bridges: 0 },
  });
  // Some growth is allowed: keep-alive connections and bridges for column finding, which are bounded in number.
  const grown = (): string[] =>
    Object.entries(openFiles(system)).flatMap(([name, count]) =>
      count > (before[name] ?? 0) + 64 ? [`${name}: ${before[name]} -> ${count}`] : [],
    );
  await expect.poll(grown, { timeout: 60_000, interval: 500 }).toEqual([]);
  const good = `SELECT n FROM bigtrace(traces=['${GOOD}'], sql='SELECT count(*) AS n FROM sched')`;
  expect(await rowsOf(admin, good)).toEqual([['2547']]);
});
