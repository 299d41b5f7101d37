/** Tests with real workers and traces: workers are killed and stopped in the middle of queries. */
import { createHash, type Hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { QueryEvent } from '../../lib/proto/messages.ts';
import { RowDecoder } from '../../lib/query-result/index.ts';
import { CORPUS } from '../../test/corpus/index.ts';
import { TestSystem } from '../testing/system.ts';
import { WorkerProcess } from '../testing/worker-process.ts';

/** Number of kills; more runs find rarer races. */
const RUNS = Number(process.env['BIGTRACE_FAULT_RUNS'] ?? 8);

const SQL = 'SELECT ts, dur, cpu, utid, end_state FROM sched ORDER BY ts, cpu';
const workers = [0, 1].map(() => new WorkerProcess(CORPUS));
const system = new TestSystem([], {
  ...{ resolve: async () => workers.map(({ address }) => address) },
  ...{ workers: ['dns:///workers.test:1'], workerTimeoutMs: 2000, workerWaitMs: 20_000 },
});
let expected: Map<string, string>;
let durationMs: number;

/** Returns the number of rows of each trace and their MD5. */
function resultsOf(events: QueryEvent[]): Map<string, string> {
  const traces = new Map<string, { decoder: RowDecoder; rows: number; hash: Hash }>();
  for (const { rows } of events) {
    if (!rows) continue;
    const name = rows.trace.toString();
    const sofar = traces.get(name) ?? {
      decoder: new RowDecoder(),
      rows: 0,
      hash: createHash('md5'),
    };
    for (const row of sofar.decoder.rows(rows.result)) {
      sofar.rows += 1;
      sofar.hash.update(row.join());
    }
    traces.set(name, sofar);
  }
  return new Map(
    [...traces].map(([name, { rows, hash }]) => [name, `${rows} ${hash.digest('hex')}`]),
  );
}

let runs = 0;

/** Makes each script unique: a worker would return a cached result, and could not die while computing it. */
async function runQuery(): Promise<Map<string, string>> {
  const sql = Buffer.from(`${SQL} -- ${runs++}`);
  return resultsOf(await system.query(['/local/recorded/linux/[a-i]*.pftrace'], { sql }));
}

beforeAll(async () => {
  await Promise.all(workers.map((worker) => worker.start()));
  await system.start();
  const began = performance.now();
  expected = await runQuery();
  durationMs = performance.now() - began;
}, 120_000);

afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await Promise.all(workers.map((worker) => worker.kill()));
});

test('the query returns rows of all six traces', () => {
  expect(expected.size).toBe(6);
  const rows = [...expected.values()].map((text) => Number.parseInt(text, 10));
  expect(rows.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(10_000);
});

test(
  `results stay the same when a worker is killed at ${RUNS} random moments`,
  async () => {
    for (let run = 0; run < RUNS; run++) {
      const running = runQuery();
      const victim = workers[run % 2];
      const diesAfterMs = Math.random() * durationMs;
      await sleep(diesAfterMs);
      await victim?.kill();
      expect(await running, `run ${run}, killed after ${diesAfterMs} ms`).toEqual(expected);
      await victim?.start();
    }
  },
  RUNS * 60_000,
);

test('the tasks of a stopped worker are retried elsewhere, and it is used again when it continues', async () => {
  const running = runQuery();
  await sleep(20);
  workers[0]?.signal('SIGSTOP');
  try {
    expect(await running).toEqual(expected);
  } finally {
    workers[0]?.signal('SIGCONT');
  }
  const states = async () => (await system.status()).worker.map(({ state }) => state);
  await expect.poll(states, { timeout: 10_000 }).toEqual(['ready', 'ready']);
  expect(await runQuery()).toEqual(expected);
}, 60_000);

test('a query returns all rows although a worker drains on SIGTERM', async () => {
  const running = runQuery();
  await sleep(20);
  workers[0]?.signal('SIGTERM');
  expect(await running).toEqual(expected);
  await workers[0]?.kill();
  await workers[0]?.start();
}, 60_000);
