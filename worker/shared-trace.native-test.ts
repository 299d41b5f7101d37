/** Several threads of a worker query one trace at once: it is parsed once, and its memory is there once. */
import { expect, test } from 'vitest';
import { openImages } from '../lib/engine/testing.ts';
import {
  counter,
  gauge,
  runScript,
  type TestWorker,
  tempDir,
  testWorker,
  until,
} from './testing/worker.ts';

const TRACE = '/local/recorded/linux/mem-pressure.pftrace';
const OTHER = '/local/recorded/linux/gzip-cpu.pftrace';
const CLIENTS = 8;
const ROUNDS = 4;
/** Numbers of scripts begin with it: every script is another one, so that no result is remembered. */
let next = 0;

/** A script that takes a while. */
const slow = (n: number): string =>
  `SELECT ${n} + sum(a.dur > b.dur) FROM sched a JOIN (SELECT dur FROM sched LIMIT 100) b`;
/** A script that changes the state that others see. */
const changing = (n: number): string =>
  `CREATE PERFETTO TABLE mine AS SELECT * FROM sched; SELECT ${n} + count(*) FROM mine`;

/** Runs the scripts of all clients at once, and expects the same sum from each, beside its number. */
async function expectResults(worker: TestWorker, script: (n: number) => string): Promise<string[]> {
  const base = next++;
  const [first] = await runScript(worker, TRACE, script(base));
  const tiers: string[] = [];
  const client = async (nth: number): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) {
      const n = next++;
      const [value, tier] = await runScript(worker, TRACE, script(n), `user ${nth}`);
      expect(value).toBe((first as bigint) + BigInt(n - base));
      tiers.push(tier);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, nth) => client(nth)));
  return tiers;
}

test('a trace that many want is parsed once, and other threads share its memory', async () => {
  await using worker = await testWorker({ threads: 2, spareThreads: 0 });
  await expectResults(worker, slow);
  const parsed = await counter(worker, 'tier_parse');
  expect(parsed).toBeLessThanOrEqual(2); // a second thread parses it if the first one takes longer than that to share it
  await expectResults(worker, changing);
  expect(new Set(await expectResults(worker, slow))).toEqual(new Set(['loaded']));
  expect(await counter(worker, 'tier_parse')).toBe(parsed);
  expect(await counter(worker, 'tier_snapshot')).toBe(0);
  await until(async () => (await gauge(worker, 'loaded_traces')) === 2);
  expect(await gauge(worker, 'engines_busy')).toBe(0);
  expect(await runScript(worker, OTHER, 'SELECT count(*) FROM sched')).toEqual([2547n, 'parse']);
});

test('an evicted trace is restored once for all threads', async () => {
  await using cache = await tempDir();
  const config = { threads: 2, spareThreads: 0, cacheDir: cache.path };
  {
    await using worker = await testWorker(config);
    await runScript(worker, TRACE, slow(0));
    await until(async () => (await counter(worker, 'snapshots_written')) === 1);
  }
  await using worker = await testWorker(config);
  await expectResults(worker, changing);
  await expectResults(worker, slow);
  expect(await counter(worker, 'tier_parse')).toBe(0);
  expect(await counter(worker, 'tier_snapshot')).toBeLessThanOrEqual(2);
});

test('a task with a bound below the size of the shared memory loads the trace itself', async () => {
  await using worker = await testWorker({ threads: 4, spareThreads: 0 });
  const earlier = openImages();
  await runScript(worker, TRACE, 'SELECT length(hex(zeroblob(60000000)))'); // the engine grows
  await until(async () => {
    const scripts = [slow(next++), slow(next++)]; // the second one waits for the engine, which makes an image before it
    await Promise.all(scripts.map((sql) => runScript(worker, TRACE, sql)));
    return openImages().some((image) => !earlier.includes(image));
  });
  await until(async () => (await gauge(worker, 'engines_busy')) === 0);
  const loaded = await gauge(worker, 'loaded_traces');
  const endless = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c`;
  const others = Array.from({ length: loaded }, () => worker.client.run({ sql: endless }));
  for (const other of others) other.add(TRACE);
  await until(async () => (await gauge(worker, 'engines_busy')) === loaded);
  const limits = { memoryBytesMax: 100 * 2 ** 20 };
  const run = worker.client.run({ sql: 'SELECT count(*) FROM sched', limits });
  const [end] = await run.endsOf(run.add(TRACE));
  run.call.end();
  for (const other of others) other.call.cancel();
  expect(end?.end.failure ?? null).toBeNull();
  expect(end?.end.rows?.stats?.tier).toBe('parse');
});
