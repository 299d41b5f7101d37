import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Counters } from '../../lib/common/observability/counters.ts';
import { rowsOf } from '../../lib/query-result/index.ts';
import { CORPUS } from '../../test/corpus/index.ts';
import { COUNTERS, type WorkerCounters } from '../counters.ts';
import { sharingWorker, type TestWorker, tempDir } from '../testing/worker.ts';
import { ResultDiskCache } from './result-disk.ts';
import type { CachedResult } from './result-memory.ts';

const COMPILE = '/local/recorded/linux/compile-c.pftrace';
const SQL = 'SELECT count(*), 2.5, NULL, max(name) FROM thread';

async function open(directory: string | undefined, bytesMax = 2 ** 30, neighbours: string[] = []) {
  const counters = new Counters(COUNTERS);
  const logger = pino({ level: 'silent' });
  const isBusy = (): boolean => false;
  return {
    disk: await ResultDiskCache.open({ directory, neighbours, bytesMax, isBusy, counters, logger }),
    counters,
  };
}

function resultOf(seed: number, bytes = 10_000): CachedResult {
  return {
    ...{
      results: [Buffer.alloc(bytes, seed), Buffer.from([seed])],
      resultBytes: bytes + 1,
      rows: seed,
    },
    ...{ traceBytes: undefined, columns: [{ name: Buffer.of(0xff, seed), kinds: 4 }] },
  };
}

function read(disk: ResultDiskCache, key: string): Promise<CachedResult | undefined> {
  return disk.read(key, { user: 'test', query: {} }, new AbortController().signal);
}

/** Writes results for `keys` as a worker that has ended; returns its counters. */
async function written(
  directory: string,
  keys: string[],
  bytesMax?: number,
): Promise<WorkerCounters> {
  const { disk, counters } = await open(directory, bytesMax);
  for (const [at, key] of keys.entries()) disk.put(key, resultOf(at + 1));
  await disk.close();
  return counters;
}

test('a result is read back byte for byte, also by the next worker', async () => {
  await using dir = await tempDir();
  await written(dir.path, ['a', 'b']);
  const { disk } = await open(dir.path);
  expect(await read(disk, 'b')).toEqual(resultOf(2));
  expect(await read(disk, 'c')).toBeUndefined();
  expect(disk.size).toBe(2);
});

test('files that are damaged, truncated, swapped or of another kind are ignored and removed', async () => {
  await using dir = await tempDir();
  await written(dir.path, ['a', 'b']);
  const [one = '', other = ''] = (await readdir(dir.path)).map((name) => join(dir.path, name));
  const [bytes, others] = [await readFile(one), await readFile(other)];
  const flipped = (at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const bad = [
    ...[flipped(0), flipped(20), flipped(60), flipped(bytes.length - 1), Buffer.alloc(0)],
    ...[bytes.subarray(0, 52), bytes.subarray(0, -1), Buffer.concat([bytes, bytes]), others],
  ];
  for (const damaged of bad) {
    await writeFile(one, damaged);
    const { disk, counters } = await open(dir.path);
    const results = await Promise.all(['a', 'b'].map((key) => read(disk, key)));
    expect(results.filter((result) => result !== undefined)).toHaveLength(1);
    expect(counters.get('results_unusable')).toBe(1);
    expect(readdirSync(dir.path)).toHaveLength(1);
  }
});

test('a result that cannot be read at the moment is kept; one that another process removed is forgotten', async () => {
  await using dir = await tempDir();
  await written(dir.path, ['a']);
  const { disk, counters } = await open(dir.path);
  const [name = ''] = await readdir(dir.path);
  const [file, aside] = [join(dir.path, name), join(dir.path, 'aside')];
  await rename(file, aside);
  await symlink(name, file); // a loop: opening it fails with ELOOP
  expect(await read(disk, 'a')).toBeUndefined();
  expect(counters.get('results_unusable')).toBe(1);
  await rename(aside, file);
  expect(await read(disk, 'a')).toEqual(resultOf(1));
  await rm(file);
  expect(await read(disk, 'a')).toBeUndefined();
  expect([disk.size, disk.bytes]).toEqual([0, 0]);
});

test('a directory that cannot be listed at the start is taken over before the first write', async () => {
  await using dir = await tempDir();
  const [directory, aside] = [join(dir.path, 'results'), join(dir.path, 'aside')];
  await written(directory, ['a']);
  await rename(directory, aside);
  await symlink('results', directory); // a loop: opening it fails with ELOOP
  const { disk } = await open(directory);
  expect(disk.size).toBe(0);
  await rename(directory, join(dir.path, 'loop'));
  await rename(aside, directory);
  disk.put('b', resultOf(2));
  await disk.close();
  expect(disk.size).toBe(2);
  expect(await read(disk, 'a')).toEqual(resultOf(1));
});

test('the size limit holds, and the least recently used results go first, also if they were used in memory', async () => {
  await using dir = await tempDir();
  const bytesMax = 3 * 12_288; // three results, in whole blocks
  const { disk } = await open(dir.path, bytesMax);
  for (const [at, key] of ['a', 'b', 'c'].entries()) disk.put(key, resultOf(at));
  await expect.poll(() => disk.size).toBe(3);
  await read(disk, 'a');
  disk.used('b');
  disk.put('d', resultOf(4));
  disk.put('e', resultOf(5));
  await disk.close();
  expect(disk.bytes).toBeLessThanOrEqual(bytesMax);
  const kept = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((key) => read(disk, key)));
  expect(kept.map((result) => result !== undefined)).toEqual([false, true, false, true, true]);
  expect(readdirSync(dir.path)).toHaveLength(3);
  const { disk: smaller } = await open(dir.path, 2 * 12_288);
  expect([smaller.size, readdirSync(dir.path).length]).toEqual([2, 2]);
});

test('results of another worker are read, but neither written nor removed', async () => {
  await using dir = await tempDir();
  const [own, others] = [join(dir.path, 'own'), join(dir.path, 'others')];
  await written(others, ['a', 'b']);
  const { disk, counters } = await open(own, 2 ** 30, [join(dir.path, 'none'), others]);
  expect(await read(disk, 'a')).toEqual(resultOf(1));
  expect(await read(disk, 'c')).toBeUndefined();
  for (const name of readdirSync(others)) await writeFile(join(others, name), 'damaged');
  expect(await read(disk, 'b')).toBeUndefined();
  expect(counters.get('results_unusable')).toBe(1);
  await disk.close();
  expect([readdirSync(own).length, readdirSync(others).length]).toEqual([0, 2]);
});

test('too large a result is not written, and without a directory nothing is written', async () => {
  await using dir = await tempDir();
  const { disk } = await open(dir.path);
  disk.put('large', resultOf(1, 17 * 2 ** 20));
  await disk.close();
  expect(readdirSync(dir.path)).toEqual([]);
  const none = (await open(undefined)).disk;
  none.put('a', resultOf(1));
  await none.close();
  expect(await read(none, 'a')).toBeUndefined();
});

test('a directory that cannot be written costs only time', async () => {
  await using dir = await tempDir();
  const file = join(dir.path, 'file');
  await writeFile(file, '');
  const { disk, counters } = await open(join(file, 'below'));
  disk.put('a', resultOf(1));
  await disk.close();
  expect(await read(disk, 'a')).toBeUndefined();
  expect(counters.get('results_failed')).toBeGreaterThan(0);
  expect(counters.get('results_written')).toBe(0);
});

/** Returns the rows of one trace, and the tier that they came from. */
async function runScript(
  worker: TestWorker,
  trace: string,
  sql: string,
): Promise<[unknown, unknown]> {
  const end = await worker.client.runScript(trace, sql);
  return [rowsOf(end?.results ?? []), end?.end.rows?.stats?.tier];
}

test('a restarted worker returns the same rows without using an engine', async () => {
  await using dir = await tempDir();
  let rows: unknown;
  {
    await using worker = await sharingWorker({ resultCacheDir: dir.path });
    const [fresh, tier] = await runScript(worker, COMPILE, SQL);
    expect(tier).toBe('parse');
    rows = fresh;
  }
  await using worker = await sharingWorker({ resultCacheDir: dir.path });
  expect(await runScript(worker, COMPILE, SQL)).toEqual([rows, 'result']);
  expect(await runScript(worker, COMPILE, SQL)).toEqual([rows, 'result']);
  const { counters, gauges } = await worker.client.status();
  expect(counters).toMatchObject({
    ...{ results_from_disk: 1, results_from_memory: 1, result_misses: 0, tier_result: 2 },
    ...{ tier_parse: 0, store_local_reads: 0 },
  });
  expect(gauges).toMatchObject({ results_on_disk: 1 });
});

test('results are written before the worker ends, as soon as it is idle', async () => {
  await using dir = await tempDir();
  await using worker = await sharingWorker({ resultCacheDir: dir.path });
  await runScript(worker, COMPILE, SQL);
  const count = async () => (await worker.client.status()).counters['results_written'];
  await expect.poll(count, { timeout: 10_000 }).toBe(1);
});

test('a changed trace, another script and a non-deterministic script are not served from disk', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, 'traces', 'x.pftrace');
  await mkdir(join(dir.path, 'traces'));
  const config = {
    resultCacheDir: join(dir.path, 'results'),
    stores: { localRoot: join(dir.path, 'traces') },
  };
  const trace = '/local/x.pftrace';
  const random = 'SELECT hex(randomblob(16))';
  await copyFile(join(CORPUS, 'recorded/linux/compile-c.pftrace'), path);
  let before: unknown;
  {
    await using worker = await sharingWorker(config);
    await runScript(worker, trace, SQL);
    [before] = await runScript(worker, trace, random);
  }
  {
    await using worker = await sharingWorker(config);
    expect((await runScript(worker, trace, `${SQL} `))[1]).toBe('parse');
    expect(await runScript(worker, trace, random)).not.toEqual([before, 'result']);
    expect((await runScript(worker, trace, SQL))[1]).toBe('result');
  }
  await copyFile(join(CORPUS, 'recorded/linux/atrace-print.pftrace'), path);
  await using worker = await sharingWorker(config);
  expect((await runScript(worker, trace, SQL))[1]).toBe('parse');
  await rm(path);
  expect((await worker.client.runScript(trace, SQL))?.end.failure).toMatchObject({
    code: 'trace_not_found',
  });
});

test('a read-only directory is read, and costs only time', async () => {
  await using dir = await tempDir();
  await written(dir.path, ['a']);
  execFileSync('chmod', ['-R', 'a-w', dir.path]);
  try {
    const { disk } = await open(dir.path);
    expect(await read(disk, 'a')).toEqual(resultOf(1));
    disk.put('b', resultOf(2));
    await disk.close();
    expect(await read(disk, 'a')).toEqual(resultOf(1));
  } finally {
    execFileSync('chmod', ['-R', 'u+w', dir.path]);
  }
});
