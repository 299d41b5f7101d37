/** Very many clients at once, hostile traces beside good ones, and clients that go away: nobody hangs, nothing is left. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OrchestratorClient } from '../../../lib/client/orchestrator-client.ts';
import { Dice } from '../../../lib/common/testing/dice.ts';
import type { QueryStart } from '../../../lib/proto/messages.ts';
import { CORPUS } from '../../corpus/index.ts';
import { clickhouseAs, errorOf, rowsOf } from '../../harness/queries.ts';
import { type System, startSystem } from '../../harness/system.ts';
import { statusOf, untilIdle, untilRunning } from '../../harness/workers.ts';

const ABANDONED = Number(process.env['BIGTRACE_ABANDONED'] ?? 2000);
const CLIENTS = Number(process.env['BIGTRACE_CLIENTS'] ?? 500);
/** Clients that go away, at a time. */
const AT_ONCE = 24;

/** Loading them never ends by itself. */
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

test('beside hostile traces another user, and one line of bad SQL, are answered while these still load', async () => {
  const gone = new AbortController();
  const hostile = system.sql(hostileQuery, { signal: gone.signal }).then(
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
  gone.abort();
  await hostile;
  await untilIdle(system);
});

test(`${CLIENTS} clients at once: each gets its answer, or is told that there are too many`, async () => {
  const ends = await Promise.all(
    Array.from({ length: CLIENTS }, (_, at) =>
      system.sql(`${call([GOOD], `SELECT count(*) + ${at} * 0 AS n FROM sched`)} FORMAT TSV`).then(
        (rows) => rows.trim(),
        (error: Error) => error.message,
      ),
    ),
  );
  const answered = ends.filter((end) => end === `${GOOD}\t2547`).length;
  const refused = ends.filter((end) => /too.many/i.test(end)).length;
  console.log(`${CLIENTS} clients: ${answered} answered, ${refused} refused`);
  expect(ends.filter((end) => end !== `${GOOD}\t2547` && !/too.many/i.test(end))).toEqual([]);
  expect(answered).toBeGreaterThan(0);
});

/** By process of the system: its open files. */
function openFiles(): Record<string, number> {
  return Object.fromEntries(
    system.processes.map(({ name, pid }) => [name, readdirSync(`/proc/${pid}/fd`).length]),
  );
}

/** Bridges that run a query; those that find columns stay for the next one. */
function bridges(): number {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
        return (
          command.includes('\0query\0') &&
          environment.includes(`BIGTRACE_ORCHESTRATOR=${system.orchestrator}`)
        );
      } catch {
        return false; // it has just ended
      }
    }).length;
}

const START: QueryStart = {
  ...{ queryId: '', sql: Buffer.from(GOOD_SQL), onFailure: 'STRICT', user: 'abandoning' },
  progressIntervalMs: 0,
};

/** A client of gRPC, which asks and goes away. */
async function abandonQuery(client: OrchestratorClient, dice: Dice): Promise<void> {
  const sql = dice.chance(0.5) ? ENDLESS_SQL : `SELECT ${dice.below(1e9)} AS x FROM sched`;
  const traces = [dice.chance(0.2) ? HOSTILE : [GOOD, '/local/recorded/**']].flat();
  const signal = AbortSignal.timeout(dice.below(120));
  const start = { ...START, sql: Buffer.from(sql) };
  try {
    for await (const _ of client.query(start, [traces.map((one) => Buffer.from(one))], signal));
  } catch {
    // it went away, or was refused
  }
}

/** A client of ClickHouse, which asks and goes away. */
async function abandonSql(dice: Dice): Promise<void> {
  const sql = dice.chance(0.5) ? ENDLESS_SQL : `SELECT ${dice.below(1e9)} AS x FROM sched`;
  const traces = dice.chance(0.3) ? HOSTILE : [GOOD];
  const structure = dice.chance(0.3) ? 'x Int64' : undefined;
  const signal = AbortSignal.timeout(dice.below(dice.chance(0.2) ? 1500 : 300));
  await system.sql(call(traces, sql, structure), { signal }).catch(() => undefined);
}

test(`${ABANDONED} queries that are abandoned at random phases leave nothing`, async () => {
  await untilIdle(system);
  await expect.poll(bridges, { timeout: 60_000 }).toBe(0);
  const before = openFiles();
  const client = new OrchestratorClient(system.orchestrator);
  const dice = new Dice(1);
  let left = ABANDONED;
  const clients = Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) await (dice.chance(0.7) ? abandonQuery(client, dice) : abandonSql(dice));
  });
  await Promise.all(clients);
  const ended = performance.now();
  const running =
    "SELECT count() FROM system.processes WHERE query LIKE '%bigtrace%' AND query_id != queryID()";
  const leftOver = async (): Promise<unknown> => {
    const { tasksRunning, tasksQueued } = await statusOf(system.workers[0] ?? '');
    const { queriesRunning, query } = await client.status();
    const [[queries] = []] = await rowsOf(admin, running);
    return { tasksRunning, tasksQueued, queriesRunning, query, bridges: bridges(), queries };
  };
  await expect.poll(leftOver, { timeout: 120_000, interval: 200 }).toEqual({
    ...{ tasksRunning: 0, tasksQueued: 0, queriesRunning: 0, query: [], bridges: 0, queries: '0' },
  });
  console.log(`all gone ${Math.round(performance.now() - ended)} ms after the last client left`);
  client.close();
  // Connections that are kept alive for a moment, and processes that find columns, are bounded.
  const grown = (): string[] =>
    Object.entries(openFiles()).flatMap(([name, count]) =>
      count > (before[name] ?? 0) + 64 ? [`${name}: ${before[name]} -> ${count}`] : [],
    );
  await expect.poll(grown, { timeout: 60_000, interval: 500 }).toEqual([]);
  await sleep(0);
  expect(await rowsOf(analyst, call([GOOD], GOOD_SQL))).toEqual([[GOOD, '2547']]);
});
