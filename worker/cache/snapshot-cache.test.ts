/**
 * Tests the directory of snapshots by itself; with a worker in front of it: snapshots.ci-test.ts,
 * snapshot-disk.ci-test.ts.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { Counters } from '../../lib/common/observability/counters.ts';
import {
  readSnapshot,
  type Snapshot,
  SnapshotUnreadable,
  SnapshotUnusable,
} from '../../lib/engine/index.ts';
import { COUNTERS } from '../counters.ts';
import { tempDir } from '../testing/worker.ts';
import { SnapshotCache } from './snapshot-cache.ts';

const PAGE_BYTES = 65_536;
const { signal } = new AbortController();

afterEach(() => {
  vi.restoreAllMocks();
});

/** Returns a snapshot of one page whose contents depend on `seed`. */
function snapshotOf(seed: number): Snapshot {
  const contents = new Uint8Array(new SharedArrayBuffer(PAGE_BYTES));
  for (let at = 0; at < contents.length; at++) contents[at] = (at * seed) >> (at % 5);
  return {
    engine: 'abc',
    memoryBytes: 4 * PAGE_BYTES,
    runs: Uint32Array.of(0, PAGE_BYTES / 4096),
    contents,
  };
}

async function openCache(directory: string, bytesMax = 2 ** 30, neighbours: string[] = []) {
  const logged: string[] = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      logged.push(JSON.parse(String(line)).msg);
      done();
    },
  });
  const counters = new Counters(COUNTERS);
  const logger = pino({ level: 'info' }, stream);
  const options = { directory, neighbours, bytesMax, counters, logger };
  return { cache: await SnapshotCache.open(options), counters, logged };
}

async function memoryBytesOf({ path }: { path: string }): Promise<number> {
  const file = openSync(path, 'r');
  try {
    return readSnapshot((into) => readSync(file, into), 'abc').memoryBytes;
  } finally {
    closeSync(file);
  }
}

/** Moves the clock beyond the delay after a failed write. */
function inAMinute(): void {
  const now = performance.now() + 60_001;
  vi.spyOn(performance, 'now').mockReturnValue(now);
}

test('a snapshot above the size limit is written once and never again', async () => {
  await using dir = await tempDir();
  const { cache, counters } = await openCache(dir.path, 1000);
  expect(cache.wants('large')).toBe(true);
  await cache.write('large', snapshotOf(7));
  expect(cache.wants('large')).toBe(false);
  expect(cache.wants('other')).toBe(true);
  expect([counters.get('snapshots_written'), counters.get('snapshots_failed')]).toEqual([0, 0]);
  expect(readdirSync(dir.path)).toEqual([]);
});

test('a file may be written twice at the same time: fetched, and of an engine of this worker', async () => {
  await using dir = await tempDir();
  const { cache, counters } = await openCache(dir.path);
  await Promise.all([cache.write('a', snapshotOf(1)), cache.write('a', snapshotOf(1))]);
  const [name = ''] = readdirSync(dir.path);
  const onDisk = Math.ceil(statSync(join(dir.path, name)).size / 4096) * 4096;
  expect([cache.size, cache.bytes]).toEqual([1, onDisk]);
  expect(counters.get('snapshots_failed')).toBe(0);
  expect(await cache.restore('a', memoryBytesOf)).toBe(4 * PAGE_BYTES);
});

test('files that are written at the same time fit together', async () => {
  await using dir = await tempDir();
  const { cache } = await openCache(dir.path, PAGE_BYTES);
  const keys = ['a', 'b', 'c', 'd'];
  await Promise.all(keys.map((key) => cache.write(key, snapshotOf(7))));
  expect(cache.bytes).toBeLessThanOrEqual(PAGE_BYTES);
  expect(readdirSync(dir.path)).toHaveLength(cache.size);
});

test('a failure is logged once and counted each time, and the first success after it is logged', async () => {
  await using dir = await tempDir();
  const directory = join(dir.path, 'snapshots');
  const { cache, counters, logged } = await openCache(directory);
  await rm(directory, { recursive: true });
  await writeFile(directory, 'a file in its place');
  for (const failures of [1, 2, 3]) {
    await cache.write('a', snapshotOf(1));
    expect(cache.writable).toBe(false);
    await cache.write('a', snapshotOf(1)); // not attempted: the last failure is less than a minute ago
    expect(counters.get('snapshots_failed')).toBe(failures);
    inAMinute();
  }
  expect(logged).toEqual(['snapshots cannot be kept on disk']);
  await rename(directory, `${directory}-no-more`);
  await cache.write('a', snapshotOf(1));
  expect(await cache.restore('a', memoryBytesOf)).toBe(4 * PAGE_BYTES);
  expect(logged[1]).toBe('snapshots are kept on disk again');
  await rm(directory, { recursive: true });
  await writeFile(directory, '');
  await cache.write('b', snapshotOf(2));
  expect(logged).toHaveLength(3);
});

test('entries of the directory that are not snapshot files are left alone and do not block', async () => {
  await using dir = await tempDir();
  const { cache } = await openCache(dir.path);
  await cache.write('a', snapshotOf(1));
  await cache.write('b', snapshotOf(2));
  const [first = ''] = readdirSync(dir.path);
  await rm(join(dir.path, first));
  execFileSync('mkfifo', [join(dir.path, first)]);
  await mkdir(join(dir.path, 'directory.image'));
  await mkdir(join(dir.path, 'stubborn.image.1.unfinished')); // it cannot be removed as a file is
  const again = await openCache(dir.path);
  expect(again.cache.size).toBe(1);
  const read = await Promise.all(['a', 'b'].map((key) => again.cache.restore(key, memoryBytesOf)));
  expect(read.filter((bytes) => bytes !== undefined)).toHaveLength(1);
});

test('a damaged snapshot is removed, and any other failure leaves it in place', async () => {
  await using dir = await tempDir();
  const { cache, counters } = await openCache(dir.path);
  await cache.write('a', snapshotOf(1));
  const gone = new Error('the client disconnected');
  const failing = (thrown: Error) => () => Promise.reject(thrown);
  await expect(cache.restore('a', failing(gone))).rejects.toBe(gone);
  expect([await cache.has('a', signal), counters.get('snapshots_unusable')]).toEqual([true, 0]);
  expect(await cache.restore('a', failing(new SnapshotUnusable('damaged')))).toBeUndefined();
  expect([await cache.has('a', signal), counters.get('snapshots_unusable')]).toEqual([false, 1]);
  expect(readdirSync(dir.path)).toEqual([]);
});

test('a snapshot that cannot be read at the moment is kept, the own one and that of another worker', async () => {
  await using dir = await tempDir();
  const [first, second] = [join(dir.path, '1'), join(dir.path, '2')];
  const { cache } = await openCache(first);
  await cache.write('a', snapshotOf(1));
  const { cache: other, counters } = await openCache(second, 2 ** 30, [first]);
  const unreadable = () => Promise.reject(new SnapshotUnreadable('EMFILE: too many open files'));
  for (const reader of [cache, other]) {
    expect(await reader.restore('a', unreadable)).toBeUndefined();
    expect(await reader.restore('a', memoryBytesOf)).toBe(4 * PAGE_BYTES);
  }
  expect(counters.get('snapshots_unusable')).toBe(1);
});

test('snapshots of another worker are used, but neither written again nor removed', async () => {
  await using dir = await tempDir();
  const [first, second] = [join(dir.path, '1'), join(dir.path, '2')];
  const { cache: other } = await openCache(first);
  const { cache } = await openCache(second, 2 ** 30, [first, join(dir.path, 'none')]);
  expect([await cache.has('a', signal), cache.wants('a')]).toEqual([false, true]);
  await other.write('a', snapshotOf(1));
  expect([await cache.has('a', signal), cache.wants('a')]).toEqual([true, false]);
  expect(await cache.restore('a', memoryBytesOf)).toBe(4 * PAGE_BYTES);
  expect([cache.size, cache.bytes]).toEqual([0, 0]);
  const damaged = (): Promise<never> => Promise.reject(new SnapshotUnusable('damaged'));
  expect(await cache.restore('a', damaged)).toBeUndefined();
  expect([await cache.has('a', signal), cache.wants('a')]).toEqual([false, true]);
  expect(readdirSync(first)).toHaveLength(1);
  await cache.write('a', snapshotOf(1));
  expect(await cache.restore('a', memoryBytesOf)).toBe(4 * PAGE_BYTES);
  await cache.write('b', snapshotOf(2)); // both workers have it now: the own file is used, and the other's is left alone
  await other.write('b', snapshotOf(2));
  expect(await cache.restore('b', damaged)).toBeUndefined();
  expect(await cache.restore('b', memoryBytesOf)).toBe(4 * PAGE_BYTES);
});
