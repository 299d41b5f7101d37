import { expect, test } from 'vitest';
import { rowsOf } from '../../lib/query-result/index.ts';
import { testWorker, until } from '../testing/worker.ts';

const GZIP = '/local/recorded/linux/gzip-cpu.pftrace';
const TASKS = 300;
/** Up to about 20 MB wait in the worker and in the connection, whose buffers the kernel sizes; each result has 120 kB. */
const DONE_MAX = (TASKS * 4) / 5;

test('cached results wait for a slow client, however many credits it has', async () => {
  await using worker = await testWorker();
  const { client } = worker;
  const run = client.run({ sql: 'SELECT hex(zeroblob(60000)) AS x' });
  // Cheap results increase the credits.
  while (run.credits < TASKS) await run.endsOf(run.add(...Array.from({ length: 50 }, () => GZIP)));
  const done = async (): Promise<number> => (await client.status()).counters['tasks_done'] ?? 0;
  const before = await done();
  run.call.pause();
  const ids = run.add(...Array.from({ length: TASKS }, () => GZIP));
  await until(async () => {
    const { gauges } = await client.status();
    const lookups = (gauges['lookups'] ?? 1) + (gauges['lookups_waiting'] ?? 1);
    return lookups === 0 && (await done()) > before; // all lookups are done
  });
  expect((await done()) - before).toBeLessThan(DONE_MAX);
  run.call.resume();
  const ends = await run.endsOf(ids);
  for (const { results } of ends) expect(rowsOf(results)).toEqual([['0'.repeat(120_000)]]);
  run.call.cancel();
});
