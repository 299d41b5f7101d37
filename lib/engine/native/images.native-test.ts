/** Images: instances of the process share the memory of a loaded trace, and none sees what another changes. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { encodeSnapshot, hasImage, SnapshotUnusable, TraceProcessor } from '../index.ts';
import { CODECS } from '../snapshot/snapshot-codec.ts';
import { load, openImages, queryRows, testEngine } from '../testing.ts';

const TRACE = 'recorded/linux/mem-pressure.pftrace';
const OTHER = 'recorded/linux/gzip-cpu.pftrace';
const COUNT = 'SELECT count(*) FROM sched';
const KEY = 'a trace';

const native = await testEngine();
const parsed = load(new TraceProcessor(native), TRACE);
const file = await fileOf(parsed);
const sched = queryRows(parsed, COUNT);
const ALL = 'SELECT s.*, t.name FROM sched s JOIN thread t USING (utid)';
const rows = queryRows(parsed, ALL);

async function fileOf(processor: TraceProcessor): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeSnapshot(processor.snapshot(), CODECS.at(-1))) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Reads a file that is in memory. */
function reader(bytes: Buffer) {
  let at = 0;
  return (into: Uint8Array): number => {
    const piece = bytes.subarray(at, at + into.length);
    into.set(piece);
    at += piece.length;
    return piece.length;
  };
}

function restored(bytes = file, key = KEY): TraceProcessor {
  const processor = new TraceProcessor(native);
  processor.restoreShared(reader(bytes), key);
  return processor;
}

test('the trace is large enough for an image', () => {
  expect(parsed.memoryBytes).toBeGreaterThan(2 ** 26);
});

test('a trace restored from a file is one image for all, with the same results', () => {
  const one = restored();
  const other = new TraceProcessor(native);
  expect(other.restoreImage(KEY)).toBe(true);
  for (const processor of [one, other]) {
    expect(processor.imageBytes).toBe(parsed.memoryBytes);
    expect(processor.memoryBytes).toBe(parsed.memoryBytes);
    expect(queryRows(processor, ALL)).toEqual(rows);
  }
  const [left, right] = [parsed.snapshot(), restored().snapshot()];
  expect(right.memoryBytes).toBe(left.memoryBytes);
  for (const processor of [one, other]) processor.reset();
});

test('what one engine changes is seen by no other, and is gone after it maps the image again', () => {
  const [one, other] = [restored(), restored()];
  queryRows(one, 'CREATE PERFETTO TABLE mine AS SELECT * FROM sched; SELECT 1');
  expect(queryRows(one, 'SELECT count(*) FROM mine')).toEqual(sched);
  expect(() => queryRows(other, COUNT.replace('sched', 'mine'))).toThrow('no such table: mine');
  const changed = one.changedBytes;
  expect(changed).toBeGreaterThan(2 ** 16);
  expect(changed).toBeLessThan(one.imageBytes / 2);
  expect(one.restoreImage(KEY)).toBe(true);
  expect(one.changedBytes).toBeLessThan(2 ** 20);
  expect(() => queryRows(one, COUNT.replace('sched', 'mine'))).toThrow('no such table: mine');
  expect(queryRows(one, COUNT)).toEqual(sched);
});

test('an engine grows beyond its image, and shrinks to it again', () => {
  const one = restored();
  const big = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000)
    SELECT count(DISTINCT i || 'a long text that needs memory') FROM n`;
  expect(queryRows(one, big)).toEqual([[2_000_000n]]);
  expect(one.memoryBytes).toBeGreaterThan(one.imageBytes);
  one.restoreImage(KEY);
  expect(one.memoryBytes).toBe(one.imageBytes);
  expect(queryRows(one, COUNT)).toEqual(sched);
});

test('an image ends with the last engine that has it', () => {
  const [one, other] = [restored(file, 'ends'), restored(file, 'ends')];
  expect(hasImage(native.code, 'ends')).toBe(true);
  one.reset();
  expect(queryRows(load(one, OTHER), COUNT)).toEqual([[2547n]]);
  expect(hasImage(native.code, 'ends')).toBe(true);
  expect(other.restoreImage('another')).toBe(false);
  expect(queryRows(other, COUNT)).toEqual(sched);
  other.restore(one.snapshot());
  expect(hasImage(native.code, 'ends')).toBe(false);
  expect(queryRows(other, COUNT)).toEqual([[2547n]]);
  expect(other.restoreImage('ends')).toBe(false);
});

test('an engine makes an image of what it parsed, and shares it', () => {
  const one = load(new TraceProcessor(native), TRACE);
  expect(one.makeImage('parsed')).toBe(true);
  expect(queryRows(one, ALL)).toEqual(rows);
  const other = new TraceProcessor(native);
  expect(other.restoreImage('parsed')).toBe(true);
  expect(queryRows(other, ALL)).toEqual(rows);
  const small = load(new TraceProcessor(native), OTHER);
  expect(small.makeImage('small')).toBe(false);
  expect(hasImage(native.code, 'small')).toBe(false);
});

test('a damaged or truncated file makes no image, and the engine goes on', () => {
  const processor = load(new TraceProcessor(native), OTHER);
  for (let nth = 1; nth <= 40; nth++) {
    const at = Math.floor((file.length * nth) / 41);
    const damaged = Buffer.from(file);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (nth % 8));
    for (const bytes of [damaged, file.subarray(0, at)]) {
      expect(() => processor.restoreShared(reader(bytes), 'damaged')).toThrow(SnapshotUnusable);
      expect(hasImage(native.code, 'damaged')).toBe(false);
    }
  }
  expect(queryRows(processor, COUNT)).toEqual([[2547n]]);
});

/** Runs `work` while the process can open no further file. */
function withoutFiles(work: () => void): void {
  const limitFiles = (soft: number | ''): string => {
    const pid = ['--pid', String(process.pid)];
    const show = ['--nofile', '--noheadings', '--output', 'SOFT'];
    if (soft === '') return execFileSync('prlimit', [...pid, ...show], { encoding: 'utf8' });
    return String(execFileSync('prlimit', [...pid, `--nofile=${soft}:`]));
  };
  const before = Number(limitFiles(''));
  limitFiles(readdirSync('/proc/self/fd').length + 64);
  const opened: number[] = [];
  try {
    for (;;) opened.push(openSync('/dev/null', 'r'));
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'EMFILE' });
    work();
  } finally {
    for (const each of opened) closeSync(each);
    limitFiles(before);
  }
}

test('without an image, a trace is restored from its file as a copy, and its engine goes on', () => {
  const processor = new TraceProcessor(native);
  withoutFiles(() => {
    processor.restoreShared(reader(file), 'no file');
    expect(processor.makeImage('no file')).toBe(false);
    expect(processor.imageBytes).toBe(0);
    expect(queryRows(processor, ALL)).toEqual(rows);
  });
  expect(hasImage(native.code, 'no file')).toBe(false);
  expect(processor.makeImage('no file')).toBe(true);
  expect(queryRows(processor, ALL)).toEqual(rows);
});

test('a memory bound holds for images, too', () => {
  const one = restored();
  const other = new TraceProcessor(native, { memoryBytesMax: one.memoryBytes - 1 });
  const limit = expect.objectContaining({ code: 'limit_exceeded' });
  expect(() => other.restoreShared(reader(file), 'bound')).toThrow(limit);
  expect(() => other.restoreImage(KEY)).toThrow(limit);
  expect(hasImage(native.code, 'bound')).toBe(false);
  other.reset();
  expect(queryRows(load(other, OTHER), COUNT)).toEqual([[2547n]]);
  expect(queryRows(one, COUNT)).toEqual(sched);
});

test('an engine takes the earlier image for its own, even if that is larger than its bound', () => {
  const grown = load(new TraceProcessor(native), TRACE);
  queryRows(grown, 'SELECT length(hex(zeroblob(60000000)))');
  expect(grown.makeImage('grown')).toBe(true);
  const other = load(new TraceProcessor(native), TRACE);
  other.memoryBytesMax = grown.imageBytes - 1;
  expect(other.makeImage('grown')).toBe(true);
  expect(queryRows(other, ALL)).toEqual(rows);
});

test('a crash poisons one engine only; it maps the image again', () => {
  const [one, other] = [restored(), restored()];
  const forever = `CREATE PERFETTO FUNCTION forever(n LONG) RETURNS LONG AS SELECT forever($n + 1);
    SELECT forever(1) AS v`;
  for (let round = 0; round < 3; round++) {
    expect(() => queryRows(one, forever)).toThrow('Maximum call stack size exceeded');
    expect(queryRows(other, COUNT)).toEqual(sched);
    expect(one.restoreImage(KEY)).toBe(true);
    expect(queryRows(one, COUNT)).toEqual(sched);
  }
});

test('what a thread has written of an image ends with the thread', async () => {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    const loading = { exports: {} };
    process.dlopen(loading, workerData);
    const { imports, create, beginImage, writeImage } = loading.exports;
    const handle = create(imports.map(() => () => 0), () => {});
    beginImage(handle, 2 ** 20);
    writeImage(handle, 0, new Uint8Array(2 ** 20));
    parentPort.postMessage('');
    for (;;);`;
  const before = openImages();
  const addon = native.code.runtime === 'native' ? native.code.addon : '';
  const thread = new Worker(program, { eval: true, workerData: addon });
  await once(thread, 'message');
  const begun = openImages().filter((ino) => !before.includes(ino));
  expect(begun).toHaveLength(1);
  await thread.terminate();
  expect(openImages()).not.toContain(begun[0]);
});
