/** A worker with uncompressed snapshots: a trace is back after a restart without its store, its bytes checked as they are read. */
import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
const OTHER = '/local/recorded/chrome/dom-a.pftrace';
const MUCH = 'SELECT count(*) || sum(arg_set_id) || max(ts) FROM ftrace_event';
const GIB = 2 ** 30;

let next = 0;
/** Every script is another one, so that no result is remembered. */
async function run(worker: TestWorker, trace: string, sql = MUCH): Promise<[unknown, string]> {
  const [value, tier] = await runScript(worker, trace, `${sql} -- ${next++}`);
  return [value, tier];
}

const memories = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.memory'))
    .map((name) => join(directory, name));

function removeCompressed(directory: string): void {
  for (const name of readdirSync(directory))
    if (name.endsWith('.image')) rmSync(join(directory, name));
}

async function written(worker: TestWorker, count: number): Promise<void> {
  await until(async () => (await counter(worker, 'uncompressed_snapshots_written')) === count);
}

/** Returns a directory with the uncompressed snapshots of these traces alone, and the answers. */
async function prepared(directory: string, traces: string[]): Promise<unknown[]> {
  await using worker = await testWorker({ cacheDir: directory, uncompressedBytesMax: GIB });
  const answers: unknown[] = [];
  for (const trace of traces) answers.push((await run(worker, trace))[0]);
  await written(worker, traces.length);
  expect(await counter(worker, 'snapshots_written')).toBe(traces.length);
  const bytes = memories(directory).reduce(
    (sum, path) => sum + Math.ceil(statSync(path).size / 4096) * 4096,
    0,
  );
  expect(await gauge(worker, 'uncompressed_snapshots_bytes')).toBe(bytes);
  removeCompressed(directory);
  return answers;
}

test('after a restart, traces are read from their uncompressed snapshots; other workers ignore them', async () => {
  await using cache = await tempDir();
  const answers = await prepared(cache.path, [TRACE, OTHER]);
  const config = { cacheDir: cache.path, uncompressedBytesMax: GIB };
  {
    await using worker = await testWorker(config);
    expect(await run(worker, TRACE)).toEqual([answers[0], 'snapshot']);
    expect(await run(worker, OTHER)).toEqual([answers[1], 'snapshot']);
    expect(
      await run(worker, TRACE, `CREATE PERFETTO TABLE mine AS SELECT 1 AS one; ${MUCH}`),
    ).toEqual([answers[0], 'loaded']);
    expect(await run(worker, TRACE)).toEqual([answers[0], 'loaded']);
  }
  for (const runtime of [{ runtime: 'v8', addons: '' } as const, undefined]) {
    const without = runtime === undefined ? { uncompressedBytesMax: 0 } : { runtime };
    await using worker = await testWorker({ ...config, ...without });
    expect(await run(worker, TRACE)).toEqual([answers[0], 'parse']);
  }
  expect(memories(cache.path)).toHaveLength(2);
});

/** Gives each file the name of the other one. */
function swap(one: string, two: string): void {
  renameSync(one, `${one}.tmp`);
  renameSync(two, one);
  renameSync(`${one}.tmp`, two);
}

/** Cuts the last region of each file out, so that their ends are as they were. */
function cut(...paths: string[]): void {
  for (const path of paths) {
    const bytes = readFileSync(path);
    const footerAt = bytes.lastIndexOf('{"engine":');
    writeFileSync(
      path,
      Buffer.concat([bytes.subarray(0, footerAt - 2 ** 16), bytes.subarray(footerAt)]),
    );
  }
}

test.each([
  ['swapped', swap],
  ['cut', cut],
])('snapshots that were %s are removed, and the traces parsed', async (_damage, damage) => {
  await using cache = await tempDir();
  const answers = await prepared(cache.path, [TRACE, OTHER]);
  const [one = '', two = ''] = memories(cache.path);
  damage(one, two);
  await using worker = await testWorker({ cacheDir: cache.path, uncompressedBytesMax: GIB });
  expect(await run(worker, TRACE)).toEqual([answers[0], 'parse']);
  expect(await run(worker, OTHER)).toEqual([answers[1], 'parse']);
  expect(await counter(worker, 'snapshots_unusable')).toBe(2);
  await written(worker, 2); // anew
});

test('a snapshot that is damaged while the worker uses it costs a second load, not the answer', async () => {
  await using cache = await tempDir();
  const [answer] = await prepared(cache.path, [TRACE]);
  await using worker = await testWorker({
    cacheDir: cache.path,
    uncompressedBytesMax: GIB,
    threads: 1,
  });
  const [count, tier] = await run(worker, TRACE, 'SELECT count(*) FROM thread');
  expect(tier).toBe('snapshot');
  for (const path of memories(cache.path)) truncateSync(path, 0);
  expect(await run(worker, TRACE)).toEqual([answer, 'parse']);
  expect(await run(worker, TRACE, 'SELECT count(*) FROM thread')).toEqual([count, 'loaded']);
});

test('no task fails because several engines share a snapshot that is damaged', async () => {
  await using cache = await tempDir();
  const [answer] = await prepared(cache.path, [TRACE]);
  const config = { cacheDir: cache.path, uncompressedBytesMax: GIB, threads: 2, spareThreads: 0 };
  await using worker = await testWorker(config);
  await run(worker, TRACE, 'SELECT count(*) FROM thread');
  const slow =
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1e6) SELECT sum(i) FROM n';
  while ((await gauge(worker, 'loaded_traces')) < 2)
    await Promise.all([run(worker, TRACE, slow), run(worker, TRACE, slow)]);
  for (const path of memories(cache.path)) truncateSync(path, 0);
  expect(await run(worker, TRACE)).toEqual([answer, 'parse']);
});

test('the least recently used go when their bound is reached, and never the compressed ones', async () => {
  await using cache = await tempDir();
  await prepared(cache.path, [OTHER]);
  const [path = ''] = memories(cache.path);
  const { size } = statSync(path);
  const config = { cacheDir: cache.path, uncompressedBytesMax: Math.floor(1.5 * size) };
  await using worker = await testWorker(config);
  await run(worker, '/local/recorded/chrome/canvas-a.pftrace');
  await written(worker, 1);
  expect(await counter(worker, 'snapshots_written')).toBe(1);
  const left = memories(cache.path);
  expect(left).toHaveLength(1);
  expect(left).not.toContain(path);
});

test('what a killed worker was writing is removed', async () => {
  await using cache = await tempDir();
  const [answer] = await prepared(cache.path, [TRACE]);
  const [path = ''] = memories(cache.path);
  const unfinished = `${path}.0.unfinished`;
  writeFileSync(unfinished, readFileSync(path).subarray(0, 2 ** 20));
  rmSync(path);
  await using worker = await testWorker({ cacheDir: cache.path, uncompressedBytesMax: GIB });
  expect(readdirSync(cache.path).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  expect(await run(worker, TRACE)).toEqual([answer, 'parse']);
});
