import { copyFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunEvent } from '../../lib/proto/messages.ts';
import { CellType, rowsOf } from '../../lib/query-result/index.ts';
import { CORPUS } from '../../test/corpus/index.ts';
import { sharingWorker, type TaskEnd, type TestWorker, tempDir } from '../testing/worker.ts';

const GZIP = '/local/recorded/linux/gzip-cpu.pftrace';
const COMPILE = '/local/recorded/linux/compile-c.pftrace';
const CANVAS = '/local/recorded/chrome/canvas-a.pftrace';
const ENDLESS =
  'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';
/** Runs for about a second. */
const LONG = ENDLESS.replace('FROM n)', 'FROM n LIMIT 2000000)');

let shared: TestWorker;

beforeAll(async () => {
  shared = await sharingWorker();
});
afterAll(() => shared?.[Symbol.asyncDispose]());

function failureOf({ end }: TaskEnd): RunEvent['failure'] {
  return end.failure;
}

/** Resolves when no task is left. */
async function idle(worker: TestWorker): Promise<void> {
  for (;;) {
    const { tasksRunning, tasksQueued } = await worker.client.status();
    if (tasksRunning + tasksQueued === 0) return;
  }
}

/** Resolves when a task runs. */
async function busy(worker: TestWorker): Promise<void> {
  while ((await worker.client.status()).tasksRunning === 0);
}

test('every trace of a query ends once, with rows or with a failure', async () => {
  const run = shared.client.run({ sql: 'SELECT count(*) FROM sched' });
  const ids = run.add(GZIP, '/local/none', COMPILE, '/local/bad/text.txt', '', GZIP);
  const ends = await run.endsOf(ids);
  expect(ends.map(({ results }) => rowsOf(results))).toEqual([
    [[expect.any(BigInt)]],
    [],
    [[3321n]],
    [],
    [],
    [[expect.any(BigInt)]],
  ]);
  expect(ends.map((end) => failureOf(end)?.code)).toEqual([
    undefined,
    'trace_not_found',
    undefined,
    'trace_invalid',
    'invalid_address',
    undefined,
  ]);
  expect(ends[2]?.end.rows).toMatchObject({ last: true, stats: { rows: 1, traceBytes: 158434 } });
  run.call.end();
  expect((await run.over).code).toBe(grpc.status.OK);
});

test('a large result arrives in order and complete', async () => {
  const run = shared.client.run({ sql: 'SELECT id, ts, name FROM slice' });
  const [end] = await run.endsOf(run.add(CANVAS));
  expect(end?.results.length).toBeGreaterThan(3);
  const rows = rowsOf(end?.results ?? []);
  expect(rows).toHaveLength(42382);
  expect(rows.every(([id], index) => id === BigInt(index))).toBe(true);
  expect(end?.end.rows?.stats?.rows).toBe(42382);
  run.call.cancel();
});

test('TYPES reports the possible types of a column without a value, also for a cached result', async () => {
  const sql =
    "SELECT dur, name, extract_arg(arg_set_id, 'x') AS x, 1 AS n FROM slice WHERE name = 'none'";
  const column = (name: string, possibleKinds: number): object => ({
    name: Buffer.from(name),
    cellKinds: 0,
    possibleKinds,
    learnedKinds: 0,
  });
  for (const _ of ['asked', 'remembered']) {
    const run = shared.client.run({ sql, mode: 'TYPES' });
    const [end] = await run.endsOf(run.add(GZIP));
    expect(end?.end.types?.column).toEqual([
      column('dur', 6),
      column('name', 18),
      column('x', 62),
      column('n', 4),
    ]);
    run.call.cancel();
  }
});

test('TYPES reports the cell types of each column, and no rows', async () => {
  const sql = "SELECT 1 AS a, 1.5, NULL AS a, 'x' UNION ALL SELECT NULL, 2, NULL, x'00'";
  const run = shared.client.run({ sql, mode: 'TYPES' });
  const [end] = await run.endsOf(run.add(GZIP));
  const bit = (...types: number[]): number => types.reduce((bits, type) => bits | (1 << type), 0);
  // One column has no value, so the possible types are reported, too.
  const column = (name: string, kinds: number): object => ({
    name: Buffer.from(name),
    cellKinds: kinds,
    possibleKinds: kinds,
    learnedKinds: 0,
  });
  expect(end?.end.types?.column).toEqual([
    column('a', bit(CellType.VARINT, CellType.NULL)),
    column('1.5', bit(CellType.FLOAT64, CellType.VARINT)),
    column('a', bit(CellType.NULL)),
    column("'x'", bit(CellType.STRING, CellType.BLOB)),
  ]);
  expect(end?.end.types?.stats?.rows).toBe(2);
  expect(run.events.some(({ rows }) => rows)).toBe(false);
  run.call.cancel();
});

test('a query over one trace does not wait for one over very many', async () => {
  const many = shared.client.run({ sql: 'SELECT count(*) FROM sched' });
  many.add(...Array.from({ length: 2000 }, () => COMPILE));
  await many.until(() => many.ends.size >= 2);
  const one = shared.client.run({ sql: 'SELECT 1' });
  await one.endsOf(one.add(GZIP));
  expect(many.ends.size).toBeLessThan(1000);
  many.call.cancel();
  one.call.cancel();
  await idle(shared);
});

test('cancelling the stream stops a statement that never ends', async () => {
  const run = shared.client.run({ sql: ENDLESS });
  run.add(GZIP, COMPILE);
  await busy(shared);
  run.call.cancel();
  await idle(shared);
  expect(await shared.client.rows(COMPILE, 'SELECT count(*) FROM sched')).toEqual([[3321n]]);
});

test('a client that does not read pauses the engine, and can still cancel', async () => {
  const run = shared.client.run({ sql: 'SELECT a.name, b.name, a.ts FROM slice a, slice b' });
  run.call.pause();
  run.add(CANVAS);
  run.call.resume();
  await run.until(() => run.credits < run.creditsEver && run.events.some(({ rows }) => rows));
  run.call.pause();
  const before = process.memoryUsage().arrayBuffers;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
  run.call.cancel();
  await idle(shared);
});

test('a query that exceeds its time limit fails as a whole', async () => {
  const run = shared.client.run({ sql: ENDLESS, limits: { timeoutMs: 300 } });
  run.add(GZIP);
  expect(await run.over).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
  await idle(shared);
});

test('a parse that never ends is stopped by the time limit of a trace', async () => {
  const { limits } = await import('../testing/worker.ts').then(({ testConfig }) => testConfig());
  await using own = await sharingWorker({ limits: { ...limits, traceTimeoutMs: 6000 } });
  const run = own.client.run({ sql: 'SELECT 1' });
  const [hung, good] = await run.endsOf(run.add('/local/bad/json-counter-nan.json', GZIP));
  expect(hung?.end.failure).toMatchObject({
    id: 1,
    code: 'deadline_exceeded',
    message: 'the trace exceeded its time limit of 6000 ms',
  });
  expect(rowsOf(good?.results ?? [])).toEqual([[1n]]);
});

test.each([
  [{ resultRowsMax: 100 }, 'the result has more rows than its bound of 100'],
  [{ resultBytesMax: 1000 }, 'the result has more bytes than its bound of 1000'],
  [{ traceBytesMax: 1000 }, 'the trace is 117321 bytes long, the bound is 1000'],
])('%j limits a task', async (limits, message) => {
  const run = shared.client.run({ sql: 'SELECT * FROM sched', limits });
  const [end] = await run.endsOf(run.add(GZIP));
  expect(end?.end.failure).toMatchObject({ id: 1, code: 'limit_exceeded', message });
  run.call.cancel();
});

test('an engine that exceeds its memory limit fails its task, and the next task succeeds', async () => {
  const memoryBytesMax = 60 * 2 ** 20;
  const run = shared.client.run({ sql: 'SELECT count(*) FROM slice', limits: { memoryBytesMax } });
  const [end, next] = await run.endsOf(run.add('/local/recorded/linux/mem-pressure.pftrace', GZIP));
  expect(end?.end.failure).toMatchObject({
    id: 1,
    code: 'limit_exceeded',
    message: `TraceProcessor needs more memory than its bound of ${memoryBytesMax} bytes`,
  });
  expect(rowsOf(next?.results ?? [])).toEqual([[605n]]);
  run.call.cancel();
});

test('credits never exceed the window, and tasks beyond them are returned', async () => {
  const run = shared.client.run({ sql: 'SELECT 1' });
  await run.until(() => run.credits > 0);
  const { firstCredits = 0 } = await shared.client.status();
  expect(run.credits).toBe(firstCredits);
  const ids = Array.from({ length: firstCredits + 2 }, (_, id) => id);
  run.call.write({ assign: { task: ids.map((id) => ({ id, trace: Buffer.from(GZIP) })) } });
  const ends = await run.endsOf(ids);
  const back = ends.filter(({ end }) => end.returned).map(({ id }) => id);
  expect(back).toEqual([firstCredits, firstCredits + 1]);
  run.call.write({ assign: { task: [0, 0].map((id) => ({ id, trace: Buffer.from(GZIP) })) } });
  expect(await run.over).toMatchObject({
    code: grpc.status.INVALID_ARGUMENT,
    details: expect.stringContaining('task 0 was assigned twice'),
  });
});

test('a query may assign as many tasks as Status says before it receives credits', async () => {
  const { firstCredits = 0 } = await shared.client.status();
  const run = shared.client.run({ sql: 'SELECT 1', credits: 1000 });
  const ids = Array.from({ length: firstCredits + 1 }, (_, id) => id);
  run.call.write({ assign: { task: ids.map((id) => ({ id, trace: Buffer.from(GZIP) })) } });
  const ends = await run.endsOf(ids);
  expect(ends.flatMap(({ end }) => end.returned?.id ?? [])).toEqual([firstCredits]);
  run.call.end();
  expect((await run.over).code).toBe(grpc.status.OK);
});

test('a query without SQL is an error', async () => {
  const run = shared.client.run({ sql: '' });
  expect(await run.over).toMatchObject({ code: grpc.status.INVALID_ARGUMENT });
});

test('withdrawn tasks are returned if they have not begun', async () => {
  await using own = await sharingWorker({ threads: 1 });
  const run = own.client.run({ sql: ENDLESS });
  const [first = 0] = run.add(GZIP);
  await busy(own);
  const [second = 0] = run.add(COMPILE);
  run.withdraw([first, second]);
  const [back] = await run.endsOf([second]);
  expect(back?.end.returned).toEqual({ id: [second] });
  expect(run.ends.has(first)).toBe(false);
});

test('a worker that drains finishes running tasks, returns the others and refuses new ones', async () => {
  await using own = await sharingWorker({ threads: 1, drainMs: 60_000 });
  const run = own.client.run({ sql: LONG });
  const [first = 0] = run.add(GZIP);
  await busy(own);
  const [second = 0] = run.add(COMPILE);
  while ((await own.client.status()).tasksQueued === 0);
  const drained = own.worker.drain();
  expect((await run.over).code).toBe(grpc.status.OK);
  const [done, back] = await run.endsOf([first, second]);
  expect(rowsOf(done?.results ?? [])).toEqual([[2_000_000n]]);
  expect(back?.end.returned).toEqual({ id: [second] });
  expect(run.events.some(({ draining }) => draining)).toBe(true);
  await drained;
});

test('List returns the traces that match patterns, and stops at the limit', async () => {
  const addresses = async (patterns: string[], limit: number): Promise<string[]> => {
    const found: string[] = [];
    for await (const { trace } of shared.client.list(patterns, limit))
      for (const { address } of trace) found.push(address.toString());
    return found;
  };
  expect(await addresses(['/local/recorded/linux/g*.pftrace', COMPILE], 0)).toEqual([
    GZIP,
    COMPILE,
  ]);
  expect(await addresses(['/local/recorded/linux/*'], 3)).toHaveLength(3);
  await expect(addresses(['/local/none'], 0)).rejects.toThrow('the trace does not exist');
});

test('a symbolic link that leads out of the root is forbidden', async () => {
  await using root = await tempDir();
  await copyFile(join(CORPUS, 'recorded/linux/gzip-cpu.pftrace'), join(root.path, 'in.pftrace'));
  await symlink('/etc/passwd', join(root.path, 'out.pftrace'));
  await using own = await sharingWorker({ stores: { localRoot: root.path } });
  const run = own.client.run({ sql: 'SELECT 1' });
  const ends = await run.endsOf(run.add('/local/in.pftrace', '/local/out.pftrace'));
  expect(ends.map((end) => failureOf(end)?.code)).toEqual([undefined, 'forbidden']);
});
