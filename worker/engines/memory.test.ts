import { expect, test } from 'vitest';
import { testWorker } from '../testing/worker.ts';

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
      await run.answers(run.add(...TRACES));
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
