/** Memory files: engines read a trace's memory from an uncompressed file as they touch it, and never trust what is damaged. */
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import {
  allowInstance,
  encodeMemory,
  hasImage,
  interruptInstance,
  regionCheck,
  SnapshotOfOtherEngine,
  SnapshotUnusable,
  TraceProcessor,
} from '../index.ts';
import { load, openImages, queryRows, testEngine } from '../testing.ts';
import { NativeInstance } from './native-instance.ts';

const TRACE = 'recorded/linux/mem-pressure.pftrace';
const OTHER = 'recorded/linux/gzip-cpu.pftrace';
const COUNT = 'SELECT count(*) FROM sched';
const ALL = 'SELECT s.*, t.name FROM sched s JOIN thread t USING (utid)';
/** Reads most of the memory. */
const MUCH = 'SELECT count(*), sum(arg_set_id), min(length(name)), max(ts) FROM ftrace_event';
const DAMAGED = 'the file that its memory is read from is damaged';

const native = await testEngine();
const directory = mkdtempSync(join(tmpdir(), 'bigtrace-memory-'));
afterAll(() => rmSync(directory, { recursive: true }));
const parsed = load(new TraceProcessor(native), TRACE);
const other = load(new TraceProcessor(native), OTHER);
const bytes = await fileOf(parsed, 'a trace');
const rows = queryRows(parsed, ALL);
const much = queryRows(parsed, MUCH);

async function fileOf(processor: TraceProcessor, key: string): Promise<Buffer> {
  const check = regionCheck(native.code);
  if (check === undefined) throw new Error('the runtime reads no memory files');
  const { initial, identity } = native;
  const owner = { engine: identity, key };
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeMemory([initial, processor.snapshot()], owner, check))
    pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

let files = 0;
function written(contents: Uint8Array): string {
  const path = join(directory, `${files++}.memory`);
  writeFileSync(path, contents);
  return path;
}

function restore(path: string, key = 'a trace', processor = new TraceProcessor(native)) {
  const file = openSync(path, 'r');
  try {
    processor.restoreUncompressed(file, key);
    return processor;
  } finally {
    closeSync(file);
  }
}

/** Ends what holds an image, so that the next one is read from its file. */
function end(...processors: TraceProcessor[]): void {
  for (const processor of processors) processor.reset();
}

test('engines restored from a file give the same results, and share what they read', () => {
  const path = written(bytes);
  const one = restore(path);
  const second = new TraceProcessor(native);
  expect(second.restoreImage('a trace')).toBe(true);
  for (const processor of [one, second]) {
    expect(processor.imageBytes).toBe(parsed.memoryBytes);
    expect(queryRows(processor, ALL)).toEqual(rows);
    expect(queryRows(processor, MUCH)).toEqual(much);
  }
  queryRows(one, 'CREATE PERFETTO TABLE mine AS SELECT * FROM sched; SELECT 1');
  expect(() => queryRows(second, 'SELECT * FROM mine')).toThrow('no such table: mine');
  expect(one.restoreImage('a trace')).toBe(true);
  expect(() => queryRows(one, 'SELECT * FROM mine')).toThrow('no such table: mine');
  expect(queryRows(one, ALL)).toEqual(rows);
  end(one, second);
  expect(hasImage(native.code, 'a trace')).toBe(false);
  expect(openImages()).toEqual([]);
});

test('a snapshot of an engine that has touched little of its file is that of the trace', () => {
  const processor = restore(written(bytes));
  const snapshot = processor.snapshot();
  const expected = load(new TraceProcessor(native), TRACE).snapshot();
  expect(snapshot.memoryBytes).toBe(expected.memoryBytes);
  expect(Buffer.from(snapshot.runs)).toEqual(Buffer.from(expected.runs));
  expect(Buffer.compare(snapshot.contents, expected.contents)).toBe(0);
  end(processor);
});

test('a small trace is read from its file, too', async () => {
  const expected = queryRows(other, ALL);
  const processor = restore(written(await fileOf(other, 'small')), 'small');
  expect(queryRows(processor, ALL)).toEqual(expected);
  end(processor);
});

test('a file of another trace or engine, cut short or with another footer is not used', async () => {
  expect(() => restore(written(bytes), 'another trace')).toThrow('it is of another trace');
  const foreign = { ...native, identity: 'another engine' };
  expect(() => restore(written(bytes), 'a trace', new TraceProcessor(foreign))).toThrow(
    SnapshotOfOtherEngine,
  );
  for (const length of [0, 1, 64, 85, bytes.length >> 1, bytes.length - 1])
    expect(() => restore(written(bytes.subarray(0, length)))).toThrow(SnapshotUnusable);
  const tail = 60_000; // most of it is the footer
  for (let nth = 1; nth <= 4; nth++) {
    const damaged = Buffer.from(bytes);
    const at = bytes.length - Math.floor((tail * nth) / 5);
    if (at < bytes.indexOf('{"engine":', bytes.length - 2 * tail)) break;
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (nth % 8));
    expect(() => restore(written(damaged))).toThrow(SnapshotUnusable);
    expect(() =>
      restore(written(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]))),
    ).toThrow(SnapshotUnusable);
  }
  expect(hasImage(native.code, 'a trace')).toBe(false);
  expect(openImages()).toEqual([]);
});

/** Expects that the engine notices the damage, unless it does not touch it, and goes on with another trace. */
function expectNoticed(processor: TraceProcessor): void {
  let result: unknown[][] | undefined;
  try {
    result = queryRows(processor, ALL);
  } catch (thrown) {
    expect(thrown).toMatchObject({
      code: 'engine_crashed',
      detail: expect.stringContaining(DAMAGED),
    });
    expect(hasImage(native.code, 'a trace')).toBe(false);
    expect(processor.restoreImage('a trace')).toBe(false);
  }
  if (result !== undefined) expect(result).toEqual(rows);
  expect(() => processor.snapshot()).toThrow(DAMAGED);
  expect(() => queryRows(processor, COUNT)).toThrow(DAMAGED);
  processor.reset();
  expect(queryRows(load(processor, OTHER), COUNT)).toEqual([[2547n]]);
}

test('a changed bit anywhere in the memory is noticed before it is used', () => {
  const processor = new TraceProcessor(native);
  for (let nth = 1; nth <= 4; nth++) {
    const at = Math.floor(((bytes.length - 200_000) * nth) / 5);
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (nth % 8));
    expectNoticed(restore(written(damaged), 'a trace', processor));
  }
});

test('regions that were swapped are noticed', () => {
  const swapped = Buffer.concat([
    bytes.subarray(2 ** 16, 2 ** 17),
    bytes.subarray(0, 2 ** 16),
    bytes.subarray(2 ** 17),
  ]);
  expectNoticed(restore(written(swapped)));
});

test('a file that is truncated or overwritten while engines use it ends no process', () => {
  for (const change of ['truncate', 'overwrite'] as const) {
    const path = written(bytes);
    const [one, second] = [restore(path), restore(path)];
    expect(queryRows(one, COUNT)).toEqual([[BigInt(rows.length)]]);
    const file = openSync(path, 'r+');
    if (change === 'truncate') ftruncateSync(file, 0);
    else writeSync(file, Buffer.alloc(bytes.length, 1), 0);
    closeSync(file);
    expectNoticed(second);
    expectNoticed(one);
  }
});

test('an engine goes on with a file that was removed', () => {
  const path = written(bytes);
  const processor = restore(path);
  rmSync(path);
  expect(queryRows(processor, ALL)).toEqual(rows);
  expect(queryRows(processor, MUCH)).toEqual(much);
  end(processor);
});

test('an interrupted engine reads the rest of its memory correctly afterwards', () => {
  const processor = restore(written(bytes));
  const id = processor.interruptId;
  interruptInstance(native.code, id);
  expect(() => queryRows(processor, COUNT)).toThrow('interrupted');
  allowInstance(native.code, id);
  expect(processor.restoreImage('a trace')).toBe(true);
  expect(queryRows(processor, ALL)).toEqual(rows);
  end(processor);
});

test('a memory bound holds, and a crash poisons one engine only', () => {
  const path = written(bytes);
  const small = new TraceProcessor(native, { memoryBytesMax: parsed.memoryBytes - 1 });
  expect(() => restore(path, 'a trace', small)).toThrow(
    expect.objectContaining({ code: 'limit_exceeded' }),
  );
  const [one, second] = [restore(path), restore(path)];
  const forever = `CREATE PERFETTO FUNCTION forever(n LONG) RETURNS LONG AS SELECT forever($n + 1);
    SELECT forever(1) AS v`;
  expect(() => queryRows(one, forever)).toThrow('Maximum call stack size exceeded');
  expect(queryRows(second, ALL)).toEqual(rows);
  expect(one.restoreImage('a trace')).toBe(true);
  expect(queryRows(one, ALL)).toEqual(rows);
  end(one, second);
});

test('engines that touch parts here and there leave the process enough mappings', () => {
  const { code } = native;
  if (code.runtime !== 'native') throw new Error('the engine is not compiled');
  const mappings = (): number => readFileSync('/proc/self/maps', 'latin1').split('\n').length;
  const before = mappings();
  const regionBytes = 2 ** 16;
  const entry = Buffer.alloc(24);
  entry.writeBigUInt64LE(2n ** 64n - 1n); // a region that is zero
  const regions = Buffer.concat(Array.from({ length: 2048 }, () => entry));
  const memory = { memoryBytes: 2048 * regionBytes, regionBytes, regions };
  const file = openSync('/dev/null', 'r');
  const instances: NativeInstance[] = [];
  for (let n = 0; n < 20; n++) {
    const instance = new NativeInstance(
      code,
      () => () => 0,
      () => {},
    );
    instances.push(instance);
    expect(instance.mapFile(`zeros ${n >> 1}`, file, memory)).toBe(true);
    const bytes = new Uint8Array(instance.buffer);
    for (let at = 0; at < bytes.length; at += 2 * regionBytes) bytes[at] = n + 1;
    for (let at = 0; at < bytes.length; at += 2 * regionBytes) expect(bytes[at]).toBe(n + 1);
  }
  closeSync(file);
  expect(mappings() - before).toBeLessThan(27_000);
  for (const instance of instances) {
    expect(new Uint8Array(instance.buffer).at(-1)).toBe(0);
    instance.zero(0);
  }
  expect(mappings() - before).toBeLessThan(1000);
});
