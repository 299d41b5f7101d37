/** Tests a worker with its snapshot directory: snapshots outlive the worker, and failures cost only time. */
import {
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { counter, gauge, runScript, tempDir, testWorker, until } from '../testing/worker.ts';

const CANVAS = '/local/recorded/chrome/canvas-a.pftrace';
const LONGTASK = '/local/recorded/chrome/longtask-a.pftrace';

test('snapshots outlive the worker, and a trace whose snapshot is damaged is parsed again', async () => {
  await using cache = await tempDir();
  const config = { cacheDir: cache.path, resultMemoryBytesMax: 0 };
  const sql = 'SELECT count(*) FROM slice';
  {
    await using worker = await testWorker(config);
    expect(await runScript(worker, CANVAS, sql)).toEqual([42382n, 'parse']);
    await until(async () => (await gauge(worker, 'snapshots')) === 1);
  }
  const name = (await readdir(cache.path)).find((each) => each.endsWith('.image')) ?? '';
  const snapshot = join(cache.path, name);
  const bytes = await readFile(snapshot);
  {
    await using worker = await testWorker(config);
    const sources = await worker.client.sources(sql, { address: Buffer.from(CANVAS) });
    expect(sources).toMatchObject({ restored: 1, parsed: 0, parsedBytes: 0 });
    expect(await runScript(worker, CANVAS, sql)).toEqual([42382n, 'snapshot']);
    expect(await counter(worker, 'restore_ms')).toBeGreaterThan(0);
    expect(await runScript(worker, CANVAS, 'SELECT max(id) FROM slice')).toEqual([
      42381n,
      'loaded',
    ]);
  }
  const flipped = Buffer.from(bytes);
  flipped[bytes.length >> 1] = (flipped[bytes.length >> 1] ?? 0) ^ 1;
  const atItsEnd = Buffer.from(bytes);
  atItsEnd[bytes.length - 1] = (atItsEnd[bytes.length - 1] ?? 0) ^ 1;
  const cut = bytes.subarray(0, bytes.length - 5000);
  for (const damaged of [flipped, atItsEnd, cut, Buffer.alloc(0)]) {
    await writeFile(snapshot, damaged);
    await using worker = await testWorker(config);
    expect(await runScript(worker, CANVAS, sql)).toEqual([42382n, 'parse']);
    expect((await worker.client.status()).counters['snapshots_unusable']).toBe(1);
  }
});

test('a trace whose snapshot cannot be read at the moment is parsed, and the snapshot is kept', async () => {
  await using cache = await tempDir();
  const config = { cacheDir: cache.path, resultMemoryBytesMax: 0 };
  const sql = 'SELECT count(*) FROM slice';
  {
    await using worker = await testWorker(config);
    await runScript(worker, CANVAS, sql);
    await until(async () => (await gauge(worker, 'snapshots')) === 1);
  }
  const name = (await readdir(cache.path)).find((each) => each.endsWith('.image')) ?? '';
  const [snapshot, aside] = [join(cache.path, name), join(cache.path, 'aside')];
  {
    await using worker = await testWorker(config);
    await rename(snapshot, aside);
    await symlink(name, snapshot); // a loop: opening it fails with ELOOP
    expect(await runScript(worker, CANVAS, sql)).toEqual([42382n, 'parse']);
    expect((await worker.client.status()).counters['snapshots_unusable']).toBe(1);
    await rename(aside, snapshot);
  }
  await using worker = await testWorker(config);
  expect(await runScript(worker, CANVAS, sql)).toEqual([42382n, 'snapshot']);
});

test('a worker restores the snapshot of another worker', async () => {
  await using dir = await tempDir();
  const [first, second] = [join(dir.path, '1'), join(dir.path, '2')];
  const sql = 'SELECT count(*) FROM slice';
  await using one = await testWorker({ cacheDir: first });
  await using other = await testWorker({ cacheDir: second, readCacheDirs: [first] });
  expect(await runScript(one, CANVAS, sql)).toEqual([42382n, 'parse']);
  await until(async () => (await gauge(one, 'snapshots')) === 1);
  expect(await runScript(other, CANVAS, sql)).toEqual([42382n, 'snapshot']);
});

test('snapshots stay within their size limit, and the least recently used go first', async () => {
  await using cache = await tempDir();
  const config = { cacheDir: cache.path, resultMemoryBytesMax: 0 };
  const sql = 'SELECT count(*) FROM slice';
  {
    await using worker = await testWorker(config);
    await runScript(worker, CANVAS, sql);
    await until(async () => (await gauge(worker, 'snapshots')) === 1);
    await runScript(worker, LONGTASK, sql);
    await until(async () => (await gauge(worker, 'snapshots')) === 2);
  }
  const files = await Promise.all(
    (await readdir(cache.path))
      .filter((name) => name.endsWith('.image'))
      .map(async (name) => {
        const path = join(cache.path, name);
        return { path, ...(await stat(path)) };
      }),
  );
  files.sort((one, other) => one.mtimeMs - other.mtimeMs);
  const [older, newer] = files;
  if (older === undefined || newer === undefined) throw new Error('there are no images');
  const now = new Date();
  await utimes(older.path, now, now); // makes the older snapshot the most recently used
  await using worker = await testWorker({ ...config, cacheBytesMax: older.size + 5000 });
  expect(await runScript(worker, CANVAS, sql)).toEqual([42382n, 'snapshot']);
  expect((await runScript(worker, LONGTASK, sql))[1]).toBe('parse');
});

test('a trace is written as a snapshot before it is evicted', async () => {
  await using cache = await tempDir();
  await using worker = await testWorker({
    memoryBytesMax: 90 * 2 ** 20,
    cacheDir: cache.path,
    resultMemoryBytesMax: 0,
    threads: 1,
  });
  const sql = 'SELECT count(*) FROM slice';
  const run = worker.client.run({ sql }); // a single query, so that the worker is never idle between the two traces
  const [first = 0] = run.add(CANVAS);
  await until(async () => (await worker.client.status()).tasksRunning > 0);
  await run.endsOf([first, ...run.add(LONGTASK)]);
  await until(async () => (await gauge(worker, 'snapshots')) >= 1);
  expect(await runScript(worker, CANVAS, sql)).toEqual([42382n, 'snapshot']);
});

test('a cache directory that cannot be written costs only time', async () => {
  await using cache = await tempDir();
  const file = join(cache.path, 'file');
  await writeFile(file, '');
  await truncate(file, 10);
  await using worker = await testWorker({ cacheDir: join(file, 'below'), resultMemoryBytesMax: 0 });
  expect(await runScript(worker, CANVAS, 'SELECT count(*) FROM slice')).toEqual([42382n, 'parse']);
  await until(async () => ((await worker.client.status()).counters['snapshots_failed'] ?? 0) > 0);
  expect(await runScript(worker, CANVAS, 'SELECT max(id) FROM slice')).toEqual([42381n, 'loaded']);
});
