/** Cancels calls of a compiled engine: it is interrupted, its thread lives on, and other engines do not notice. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FIRST_READING } from '../lib/engine/index.ts';
import { testEngine } from '../lib/engine/testing.ts';
import { rowsOf } from '../lib/query-result/index.ts';
import { CORPUS } from '../test/corpus/index.ts';
import { EngineThread } from './engines/engine-thread.ts';
import { testConfig } from './testing/worker.ts';

const GZIP = readFileSync(join(CORPUS, 'recorded/linux/gzip-cpu.pftrace'));
const LARGER = readFileSync(join(CORPUS, 'recorded/linux/mem-pressure.pftrace'));
const NEVER_LOADS = readFileSync(join(CORPUS, 'bad/json-counter-nan.json'));
const ENDLESS =
  'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';
const FOREVER =
  'CREATE PERFETTO FUNCTION forever(n LONG) RETURNS LONG AS SELECT forever($n + 1); SELECT forever(1) AS v';
/** Calls are cancelled at these times after they began. */
const MOMENTS_MS = [0, 1, 2, 5, 10, 20, 40, 60, 80, 120];
const HOUR = { minMs: 3_600_000, bytesPerSecond: 2 ** 20 };

let thread: EngineThread;
let neighbour: EngineThread;
beforeAll(async () => {
  const { threadEntry } = await testConfig();
  const engine = await testEngine();
  expect(engine.code.runtime).toBe('native');
  thread = new EngineThread(engine, threadEntry, () => {});
  neighbour = new EngineThread(engine, threadEntry, () => {});
  await load(neighbour, GZIP);
});
afterAll(async () => {
  await Promise.all([thread?.kill('the test ends'), neighbour?.kill('the test ends')]);
});

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 200_000)
    yield Uint8Array.from(bytes.subarray(at, at + 200_000));
}

async function load(
  engine: EngineThread,
  bytes: Uint8Array,
  signal = new AbortController().signal,
) {
  await engine.load(
    'trace',
    chunksOf(bytes),
    {
      ...{ memoryBytesMax: 2 ** 32, loadBound: HOUR, traceBytes: bytes.length },
      reading: { mode: FIRST_READING, unpackedBytesMax: 2 ** 32 },
      ...{ engineVersion: '', onPhase: () => {} },
    },
    signal,
  );
}

async function rows(engine: EngineThread, sql: string, signal = new AbortController().signal) {
  const results: Uint8Array[] = [];
  await engine.query(
    {
      ...{ key: 'trace', sql: Buffer.from(sql), memoryBytesMax: 2 ** 32 },
      ...{ isSummary: false, mutatesState: false, wantsKinds: false },
      onResult: (result) => {
        results.push(result);
        return undefined;
      },
    },
    signal,
  );
  return rowsOf(results);
}

/** Cancels the call that `begin` begins, and checks that the thread can be used as before. */
async function expectCancelled(
  begin: (signal: AbortSignal) => Promise<unknown>,
  ms: number,
): Promise<void> {
  const abort = new AbortController();
  const call = begin(abort.signal);
  const reason = new Error('enough');
  setTimeout(() => abort.abort(reason), ms);
  await expect(call).rejects.toBe(reason);
  expect(thread.state.is).not.toBe('gone');
  expect(await rows(neighbour, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
}

test('an endless query is interrupted at any time, and the thread loads the next trace', async () => {
  for (const ms of MOMENTS_MS) {
    await load(thread, GZIP);
    await expectCancelled((signal) => rows(thread, ENDLESS, signal), ms);
  }
  await load(thread, GZIP);
  expect(await rows(thread, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
});

test('a trace that never loads is interrupted at any time', async () => {
  for (const ms of MOMENTS_MS)
    await expectCancelled((signal) => load(thread, NEVER_LOADS, signal), ms);
  await load(thread, GZIP);
  expect(await rows(thread, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
});

test('a load is cancelled at any time', async () => {
  for (const ms of [0, 1, 5, 10, 20])
    await expectCancelled((signal) => load(thread, LARGER, signal), ms);
  await load(thread, GZIP);
  expect(await rows(thread, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
});

test('a stack overflow on an engine thread ends the query only', async () => {
  for (let round = 0; round < 3; round++) {
    await load(thread, GZIP);
    await expect(rows(thread, FOREVER)).rejects.toMatchObject({
      code: 'engine_crashed',
      message: expect.stringContaining('Maximum call stack size exceeded'),
    });
    expect(thread.state.is).toBe('poisoned');
  }
  expect(await rows(neighbour, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
});

test('an engine that is killed in a query ends', async () => {
  await load(thread, GZIP);
  const query = rows(thread, ENDLESS);
  await Promise.all([
    expect(query).rejects.toMatchObject({ code: 'engine_crashed' }),
    thread.kill('the test ends it'),
  ]);
  expect(await rows(neighbour, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
});
