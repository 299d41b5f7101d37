/** Tests with many clients at once, with traces that never load, and with clients that disconnect at random times. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OrchestratorClient } from '../../../lib/client/orchestrator-client.ts';
import { Dice } from '../../../lib/common/testing/dice.ts';
import type { QueryStartInput } from '../../../lib/proto/messages.ts';
import { CORPUS } from '../../corpus/index.ts';
import { distribution } from '../../harness/abandoned.ts';
import { openFiles, runningBridges } from '../../harness/leftovers.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import { type System, startSystem } from '../../harness/system.ts';
import { statusOf, untilIdle, untilRunning } from '../../harness/workers.ts';

const ABANDONED = Number(process.env['BIGTRACE_ABANDONED'] ?? 2000);
const CLIENTS = Number(process.env['BIGTRACE_CLIENTS'] ?? 500);
/** Queries on the good trace, without and with hostile queries beside them. */
const GOOD_QUERIES = 30;
/** Concurrent clients that disconnect. */
const AT_ONCE = 24;
const SETTLE_MS_MAX = 60_000;

/** Traces that the engine never finishes loading. */
const HOSTILE = ['/local/bad/json-counter-nan.json', '/local/bad/json-counter-inf.json'];
const GOOD = '/local/recorded/linux/gzip-cpu.pftrace';
const GOOD_SQL = 'SELECT count(*) AS n FROM sched';
const ENDLESS_SQL =
  'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) AS n FROM t';

let system: System;
let analyst: ClickHouseClient;
let admin: ClickHouseClient;

beforeAll(async () => {
  system = await startSystem({ traces: CORPUS, workers: 1, threads: 2 });
  analyst = clickhouseAs(system, 'analyst');
  admin = clickhouseAs(system, 'admin');
  await rowsOf(analyst, call([GOOD], GOOD_SQL));
});
afterAll(async () => {
  await analyst?.close();
  await admin?.close();
  await system?.stop();
});

function call(traces: string[], sql: string, structure?: string): string {
  const list = traces.map((trace) => `'${trace}'`).join(', ');
  return structure === undefined
    ? `SELECT * FROM bigtrace(traces=[${list}], sql='${sql}')`
    : `SELECT * FROM bigtrace_as(structure='${structure}', traces=[${list}], sql='${sql}')`;
}

const hostileQuery = call(HOSTILE, 'SELECT 1 AS x', 'x Int64');

test('queries of another user end while traces that never load occupy the worker', async () => {
  const abort = new AbortController();
  const hostile = system.sql(hostileQuery, { signal: abort.signal }).then(
    () => 'it ended',
    () => 'it ended',
  );
  await untilRunning(system);
  const good = rowsOf(admin, call([GOOD], GOOD_SQL));
  expect(await Promise.race([good, hostile])).toEqual([[GOOD, '2547']]);
  const bad = errorOf(admin, call([GOOD], 'SELEC 1'));
  expect(await Promise.race([bad, hostile])).toContain('syntax error');
  expect((await statusOf(system.workers[0] ?? '')).running?.map(({ trace }) => `${trace}`)).toEqual(
    expect.arrayContaining(HOSTILE.slice(0, 1)),
  );
  abort.abort();
  await hostile;
  await untilIdle(system);
});

/** Returns the milliseconds of each of `count` queries on the good trace. No result is cached; every row is checked. */
async function goodQueryTimes(count: number, first: number): Promise<number[]> {
  const times: number[] = [];
  for (let at = first; at < first + count; at += 1) {
    const began = performance.now();
    const rows = await rowsOf(admin, call([GOOD], `SELECT count(*) + ${at} AS n FROM sched`));
    times.push(performance.now() - began);
    expect(rows).toEqual([[GOOD, String(2547 + at)]]);
  }
  return times;
}

/** Four clients query damaged and endless traces, with a script that never ends or a short one, until the signal. */
async function queryHostileCorpus(signal: AbortSignal): Promise<number> {
  let began = 0;
  const client = async (): Promise<void> => {
    while (!signal.aborted) {
      began += 1;
      const query =
        began % 2 === 0
          ? call(['/local/recorded/**'], ENDLESS_SQL, 'n Int64')
          : call(['/local/bad/**'], `SELECT ${began} AS n`, 'n Int64');
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
      await system.sql(query, { signal: timeout }).catch(() => undefined);
    }
  };
  await Promise.all([client(), client(), client(), client()]);
  return began;
}

test('queries on a good trace return their rows while another user queries the hostile corpus', async () => {
  const alone = await goodQueryTimes(GOOD_QUERIES, 0);
  const done = new AbortController();
  const hostile = queryHostileCorpus(done.signal);
  await untilRunning(system);
  const beside = await goodQueryTimes(GOOD_QUERIES, GOOD_QUERIES);
  done.abort();
  const began = await hostile;
  console.log(
    `a good trace alone: ${distribution(alone)}\n` +
      `beside ${began} hostile queries: ${distribution(beside)}`,
  );
  await untilIdle(system);
});

test(`each of ${CLIENTS} concurrent clients gets its rows or the error that there are too many queries`, async () => {
  const ends = await Promise.all(
    Array.from({ length: CLIENTS }, (_, at) =>
      system.sql(`${call([GOOD], `SELECT count(*) + ${at} * 0 AS n FROM sched`)} FORMAT TSV`).then(
        (rows) => rows.trim(),
        (error: Error) => error.message,
      ),
    ),
  );
  const succeeded = ends.filter((end) => end === `${GOOD}\t2547`).length;
  const refused = ends.filter((end) => /too.many/i.test(end)).length;
  console.log(`${CLIENTS} clients: ${succeeded} succeeded, ${refused} refused`);
  expect(ends.filter((end) => end !== `${GOOD}\t2547` && !/too.many/i.test(end))).toEqual([]);
  expect(succeeded).toBeGreaterThan(0);
});

const START: QueryStartInput = {
  ...{ queryId: '', sql: Buffer.from(GOOD_SQL), onFailure: 'STRICT', user: 'abandoning' },
  progressIntervalMs: 0,
};

/** Starts a query over gRPC and disconnects within 120 ms. */
async function abandonQuery(client: OrchestratorClient, dice: Dice): Promise<void> {
  const sql = dice.chance(0.5) ? ENDLESS_SQL : `SELECT ${dice.below(1e9)} AS x FROM sched`;
  const traces = [dice.chance(0.2) ? HOSTILE : [GOOD, '/local/recorded/**']].flat();
  const signal = AbortSignal.timeout(dice.below(120));
  const start = { ...START, sql: Buffer.from(sql) };
  try {
    for await (const _ of client.query(start, [traces.map((one) => Buffer.from(one))], signal));
  } catch {
    // The client disconnected, or the query was refused.
  }
}

/** Starts a query through ClickHouse and disconnects within 1.5 s. */
async function abandonSql(dice: Dice): Promise<void> {
  const sql = dice.chance(0.5) ? ENDLESS_SQL : `SELECT ${dice.below(1e9)} AS x FROM sched`;
  const traces = dice.chance(0.3) ? HOSTILE : [GOOD];
  const structure = dice.chance(0.3) ? 'x Int64' : undefined;
  const signal = AbortSignal.timeout(dice.below(dice.chance(0.2) ? 1500 : 300));
  await system.sql(call(traces, sql, structure), { signal }).catch(() => undefined);
}

/** Rejects if a client still waits long after it disconnected. */
async function settled(query: Promise<void>, name: string): Promise<void> {
  const ended = new AbortController();
  const late = sleep(SETTLE_MS_MAX, undefined, ended).then(() => {
    throw new Error(`${name} has not ended ${SETTLE_MS_MAX} ms after its client disconnected`);
  });
  await Promise.race([query, late]).finally(() => ended.abort());
}

test(`${ABANDONED} queries abandoned at random times are cancelled and leak nothing`, async () => {
  await untilIdle(system);
  await expect.poll(() => runningBridges(system), { timeout: 60_000 }).toBe(0);
  const before = openFiles(system);
  const client = new OrchestratorClient(system.orchestrator);
  const dice = new Dice(1);
  let left = ABANDONED;
  const clients = Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) {
      const overGrpc = dice.chance(0.7);
      const query = overGrpc ? abandonQuery(client, dice) : abandonSql(dice);
      await settled(query, overGrpc ? 'a query over gRPC' : 'a query over HTTP');
    }
  });
  await Promise.all(clients);
  const ended = performance.now();
  const running =
    "SELECT count() FROM system.processes WHERE query LIKE '%bigtrace%' AND query_id != queryID()";
  const leftOver = async (): Promise<unknown> => {
    const { tasksRunning, tasksQueued } = await statusOf(system.workers[0] ?? '');
    const { queriesRunning, query } = await client.status();
    const [[queries] = []] = await rowsOf(admin, running);
    return {
      tasksRunning,
      tasksQueued,
      queriesRunning,
      query,
      bridges: runningBridges(system),
      queries,
    };
  };
  await expect.poll(leftOver, { timeout: 120_000, interval: 200 }).toEqual({
    ...{ tasksRunning: 0, tasksQueued: 0, queriesRunning: 0, query: [], bridges: 0, queries: '0' },
  });
  console.log(`all gone ${Math.round(performance.now() - ended)} ms after the last client left`);
  client.close();
  // Some growth is allowed: keep-alive connections and bridges for column finding, which are bounded in number.
  const grown = (): string[] =>
    Object.entries(openFiles(system)).flatMap(([name, count]) =>
      count > (before[name] ?? 0) + 64 ? [`${name}: ${before[name]} -> ${count}`] : [],
    );
  await expect.poll(grown, { timeout: 60_000, interval: 500 }).toEqual([]);
  expect(await rowsOf(analyst, call([GOOD], GOOD_SQL))).toEqual([[GOOD, '2547']]);
}, 240_000);
