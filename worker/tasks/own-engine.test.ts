import { expect, test } from 'vitest';
import { runScript, testWorker } from '../testing/worker.ts';

test('a worker runs scripts for its own engine, and refuses those for another one', async () => {
  await using worker = await testWorker();
  const trace = '/local/recorded/linux/gzip-cpu.pftrace';
  for (const name of ['bundled', 'v55', 'v55.3'])
    expect(await runScript(worker, trace, `/*bigtrace: engine=${name} */ SELECT 7`)).toEqual([
      7n,
      expect.any(String),
    ]);
  const spec = 'metric_spec { id: "n" value: "v" query { sql { sql: "SELECT 3 AS v" } } }';
  expect(
    await runScript(worker, trace, `/*bigtrace: engine=v55 */ SUMMARIZE TRACE ${spec}`),
  ).toEqual(['n', 'loaded']);
  const refused = {
    details: expect.stringMatching(
      /^the script is for the engine v52, this worker has bundled \(Perfetto v55\.3\S*\)$/,
    ),
  };
  const sql = '/*bigtrace: engine=v52 */ SELECT 1';
  await expect(worker.client.queryTrace(trace, sql)).rejects.toMatchObject(refused);
  expect(await worker.client.run({ sql }).over).toMatchObject(refused);
});

test('a worker refuses a query that was meant for the engine that it had before', async () => {
  await using worker = await testWorker();
  const { engine } = await worker.client.status();
  const before = worker.client.run({ sql: 'SELECT 1', engine: `${engine}0` });
  expect(await before.over).toMatchObject({
    details: 'the worker was started again with another engine',
  });
  const now = worker.client.run({ sql: 'SELECT 1', engine });
  const [end] = await now.endsOf(now.add('/local/recorded/linux/gzip-cpu.pftrace'));
  expect(end?.end.rows?.last).toBe(true);
  now.call.cancel();
});
