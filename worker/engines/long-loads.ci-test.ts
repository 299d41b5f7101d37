/**
 * Tests traces that keep the engine busy forever: their loads are ended and remembered, and other tasks run
 * beside them.
 */
import { expect, test } from 'vitest';
import { rowsOf } from '../../lib/query-result/index.ts';
import { type TestWorker, tempDir, testWorker, until } from '../testing/worker.ts';

const NAN = '/local/bad/json-counter-nan.json';
const INF = '/local/bad/json-counter-inf.json';
const GZIP = '/local/recorded/linux/gzip-cpu.pftrace';
/** Never reached in a test that passes. */
const HOUR = { minMs: 3_600_000, bytesPerSecond: 2 ** 20 };
const SHORT = { minMs: 300, bytesPerSecond: 2 ** 20 };

async function failureOf({ client }: TestWorker, trace: string, sql = 'SELECT 1') {
  const failure = (await client.runScript(trace, sql))?.end.failure;
  return [failure?.code, failure?.message ?? ''] as const;
}

async function counter({ client }: TestWorker, name: string): Promise<number> {
  return (await client.status()).counters[name] ?? Number.NaN;
}

test.each(['ROWS', 'TYPES'] as const)(
  '%s: other users and other queries get results beside traces that never load',
  async (mode) => {
    await using worker = await testWorker({ longTaskMs: 100, loadBound: HOUR });
    const { client } = worker;
    const hostile = client.run({ sql: 'SELECT 1', user: 'a', mode });
    const bad = hostile.add(NAN, INF);
    await until(async () => (await client.status()).tasksRunning === (mode === 'ROWS' ? 2 : 1));
    for (const user of ['a', 'b', 'b']) {
      const sql = `SELECT count(*) FROM sched WHERE ${user === 'a'} OR 1`;
      const other = client.run({ sql, user, mode });
      const [end] = await other.endsOf(other.add(GZIP));
      expect(end?.end.failure).toBeUndefined();
      if (mode === 'ROWS') expect(rowsOf(end?.results ?? [])).toEqual([[2547n]]);
      other.call.cancel();
    }
    expect(bad.filter((id) => hostile.ends.has(id))).toEqual([]);
    hostile.call.cancel();
    await until(async () => (await client.status()).tasksRunning === 0);
  },
);

test('columns are found while all threads for rows, including the spare ones, are busy', async () => {
  await using worker = await testWorker({ threads: 1, spareThreads: 0, loadBound: HOUR });
  const { client } = worker;
  const hostile = client.run({ sql: 'SELECT 1' });
  hostile.add(NAN);
  await until(async () => (await client.status()).tasksRunning === 1);
  const columns = client.run({ sql: 'SELECT 1 AS x', mode: 'TYPES' });
  const [end] = await columns.endsOf(columns.add(GZIP));
  expect(end?.end.types?.column.map(({ name }) => name.toString())).toEqual(['x']);
  expect(hostile.ends.size).toBe(0);
  hostile.call.cancel();
  columns.call.cancel();
});

test('a load that takes too long bars its trace, also after a restart, until the bar is lifted', async () => {
  await using dir = await tempDir();
  const config = { resultCacheDir: dir.path, loadBound: SHORT };
  const first =
    'TraceProcessor had not loaded this trace of 79 bytes after 301 ms, the bound for its size ' +
    '(300 ms by --load-time, and 1 s for every 1048576 bytes by --load-rate); the trace is barred now; ' +
    `\`bigtrace unbar ${NAN}\` allows another load`;
  {
    await using worker = await testWorker(config);
    const [code, message] = await failureOf(worker, NAN);
    expect([code, message]).toEqual(['deadline_exceeded', first]);
    const [, repeated] = await failureOf(worker, NAN, 'SELECT 2');
    expect(repeated).toBe(first);
    expect(await counter(worker, 'barred_tasks')).toBe(1);
    await expect.poll(() => counter(worker, 'threads_killed')).toBe(1);
    const { barred = [], barredTotal } = await worker.client.status();
    expect([barredTotal, barred.map(({ trace, code: of }) => [trace.toString(), of])]).toEqual([
      1,
      [[NAN, 'deadline_exceeded']],
    ]);
  }
  {
    await using worker = await testWorker(config);
    const [, repeated] = await failureOf(worker, NAN, 'SELECT 3');
    expect(repeated).toBe(first);
    expect(await worker.client.unbar([Buffer.from(INF)])).toEqual(0);
    expect(await worker.client.unbar([Buffer.from(NAN)])).toEqual(1);
    expect(await failureOf(worker, NAN)).toEqual(['deadline_exceeded', first]);
    expect(await counter(worker, 'barred_tasks')).toBe(1);
  }
  await using larger = await testWorker({ ...config, loadBound: { ...SHORT, minMs: 400 } });
  expect((await larger.client.status()).barredTotal).toBe(0);
});

test('an invalid trace is loaded once, and a query with a lower memory limit bars no trace', async () => {
  await using worker = await testWorker();
  const invalid = '/local/bad/random-64k.bin';
  const [code, message] = await failureOf(worker, invalid);
  expect(code).toBe('trace_invalid');
  expect(await failureOf(worker, invalid, 'SELECT 2')).toEqual([code, message]);
  expect(await counter(worker, 'barred_tasks')).toBe(1);
  const trace = '/local/recorded/linux/mem-pressure.pftrace';
  const small = worker.client.run({ sql: 'SELECT 1', limits: { memoryBytesMax: 60 * 2 ** 20 } });
  const [end] = await small.endsOf(small.add(trace));
  small.call.cancel();
  expect(end?.end.failure?.code).toBe('limit_exceeded');
  expect((await worker.client.runScript(trace, 'SELECT 1'))?.end.failure).toBeUndefined();
  expect((await worker.client.status()).barredTotal).toBe(1);
});

test('damaged records of barred traces are removed, and all bars can be lifted', async () => {
  await using dir = await tempDir();
  const config = { resultCacheDir: dir.path };
  {
    await using worker = await testWorker(config);
    for (const bad of ['random-64k.bin', 'text.txt']) await failureOf(worker, `/local/bad/${bad}`);
    expect((await worker.client.status()).barredTotal).toBe(2);
  }
  const { readdir, writeFile } = await import('node:fs/promises');
  const files = (await readdir(dir.path)).filter((name) => name.endsWith('.barred'));
  expect(files).toHaveLength(2);
  await writeFile(`${dir.path}/${files[0]}`, '{"key":');
  await using worker = await testWorker(config);
  expect((await worker.client.status()).barredTotal).toBe(1);
  expect(await worker.client.unbar('all')).toBe(1);
  expect((await readdir(dir.path)).filter((name) => name.endsWith('.barred'))).toEqual([]);
});
