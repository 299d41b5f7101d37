import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rowsOf } from '../../lib/query-result/index.ts';
import { LIMIT_DEFAULTS } from '../config.ts';
import { tempDir, testWorker } from '../testing/worker.ts';

const SOON = { timeout: 60_000, interval: 50 };

const TRACES = [
  '/local/recorded/linux/compile-c.pftrace',
  '/local/recorded/linux/gzip-cpu.pftrace',
  '/local/recorded/chrome/fetch-a.pftrace',
  '/local/bad/text.txt',
  '/local/bad/proto-compressed-nested.pftrace',
  '/local/none',
];

/**
 * Scripts with few rows, with many rows, with mutated state, and with an error; `at` makes each one new to
 * the result cache.
 */
const SCRIPTS = [
  (at: number) => `SELECT count(*) + ${at} FROM slice`,
  (at: number) => `SELECT ts, dur, name, ${at} FROM slice`,
  (at: number) => `CREATE PERFETTO TABLE foo AS SELECT ${at} AS x; SELECT x FROM foo`,
  (at: number) => `SELECT nope${at} FROM slice`,
];

test('memory stays flat over many mixed queries', async () => {
  await using worker = await testWorker({
    memoryBytesMax: 250 * 2 ** 20,
    resultMemoryBytesMax: 4 * 2 ** 20,
  });
  const round = async (from: number, to: number): Promise<number> => {
    for (let at = from; at < to; at++) {
      const script = SCRIPTS[at % SCRIPTS.length];
      const run = worker.client.run({ sql: script?.(at) ?? '' });
      await run.endsOf(run.add(...TRACES));
      run.call.end();
      await run.over;
    }
    return (await worker.client.status()).gauges['rss_bytes'] ?? Number.NaN;
  };
  const settled = await round(0, 40);
  const later = await round(40, 120);
  expect((later - settled) / 2 ** 20).toBeLessThan(60);
  const { gauges } = await worker.client.status();
  expect(gauges).toMatchObject({ queries: 0, engines_busy: 0, permits_waiting: 0 });
}, 120_000);

/** Loaded, they take 46 to 67 MiB each. */
const LARGE = [
  '/local/recorded/linux/deflate-find.pftrace',
  '/local/recorded/chrome/longtask-a.pftrace',
  '/local/recorded/chrome/dom-a.pftrace',
];

test('traces that do not fit into the memory side by side are loaded one after the other', async () => {
  // Half of it is a thread's share: less than each trace takes, so that two at once exceed all of it.
  await using worker = await testWorker({ memoryBytesMax: 80 * 2 ** 20, resultMemoryBytesMax: 0 });
  const run = worker.client.run({
    sql: 'SELECT count(*) > 0 FROM (SELECT 1 FROM slice UNION ALL SELECT 1 FROM sched)',
  });
  const ends = await run.endsOf(run.add(...LARGE));
  run.call.end();
  await run.over;
  expect(ends.map(({ end }) => end.failure?.message)).toEqual(LARGE.map(() => undefined));
  expect(ends.map(({ results }) => rowsOf(results))).toEqual(LARGE.map(() => [[1n]]));
  const { gauges } = await worker.client.status();
  expect(gauges).toMatchObject({ memory_reserved: 0, memory_waiting: 0, engines_busy: 0 });
});

test('a large trace with which a worker was lost waits until it has all of the memory', async () => {
  // By size and format, no thread needs more than its share, half of the memory.
  await using worker = await testWorker({ memoryBytesMax: 160 * 2 ** 20, threads: 2 });
  const endless = worker.client.run({
    sql: 'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t',
  });
  const [first = '', second = ''] = [LARGE[1], LARGE[2]];
  endless.addAlone(first);
  const memoryOf = async (): Promise<unknown> => (await worker.client.status()).gauges;
  await expect.poll(memoryOf, SOON).toMatchObject({ memory_reserved: 160 * 2 ** 20 });
  const run = worker.client.run({ sql: 'SELECT 1' });
  const waiting = run.addAlone(second);
  await expect.poll(memoryOf, SOON).toMatchObject({ memory_waiting: 1 });
  const small = run.addAlone('/local/recorded/linux/idle.pftrace');
  const ordinary = run.add(second);
  await run.endsOf([small, ...ordinary]);
  expect(run.ends.has(waiting)).toBe(false);
  endless.call.cancel();
  const [end] = await run.endsOf([waiting]);
  expect(rowsOf(end?.results ?? [])).toEqual([[1n]]);
  run.call.end();
  await run.over;
});

test('a trace that is too large for an engine is refused before it is parsed', async () => {
  await using worker = await testWorker({
    memoryBytesMax: 80 * 2 ** 20,
    limits: { ...LIMIT_DEFAULTS, memoryBytesMax: 8 * 2 ** 20 },
  });
  const end = await worker.client.runScript('/local/recorded/chrome/dom-a.pftrace', 'SELECT 1');
  expect(end?.end.failure).toMatchObject({
    code: 'limit_exceeded',
    message:
      'TraceProcessor needs more memory than its bound of 8388608 bytes: a trace of 4389080 bytes needs 13167240 ' +
      'bytes or more, which --instance-memory-bytes of the workers must allow',
    neededBytes: 13167240,
  });
  const { counters, gauges } = await worker.client.status();
  expect([counters['parse_ms'], gauges['traces_barred']]).toEqual([0, 0]);
});

test('without 64-bit memory, a trace of 1.5 GB is refused at once, with the engine that would load it', async () => {
  await using directory = await tempDir();
  const path = join(directory.path, 'large.pftrace');
  writeFileSync(path, Buffer.of(0x0a)); // as a trace in Perfetto's own format begins
  truncateSync(path, 1.5e9);
  await using worker = await testWorker({ stores: { localRoot: directory.path } });
  const end = await worker.client.runScript('/local/large.pftrace', 'SELECT 1');
  expect(end?.end.failure?.message).toBe(
    'TraceProcessor needs more memory than its bound of 4294967296 bytes: a trace of 1500000000 bytes needs ' +
      '4500000000 bytes or more, more than the 4294967296 bytes of 32-bit memory: an engine with 64-bit memory ' +
      '(Node 24 or later; `bigtrace engine add v55.3`, docs/engines.md) can have them if --instance-memory-bytes of ' +
      'the workers allows it',
  );
  expect((await worker.client.status()).counters['parse_ms']).toBe(0);
});
