/** Cancels calls of a compiled engine: it is interrupted, its thread lives on, and other engines do not notice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testEngine } from '../lib/engine/testing.ts';
import { EngineThread } from './engines/engine-thread.ts';
import { corpusTrace, loadTrace, scriptRows } from './testing/engine-thread.ts';
import { testConfig } from './testing/worker.ts';

const GZIP = corpusTrace('recorded/linux/gzip-cpu.pftrace');
const LARGER = corpusTrace('recorded/linux/mem-pressure.pftrace');
const NEVER_LOADS = corpusTrace('bad/json-counter-nan.json');
const ENDLESS =
  'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';
const FOREVER =
  'CREATE PERFETTO FUNCTION forever(n LONG) RETURNS LONG AS SELECT forever($n + 1); SELECT forever(1) AS v';
/** Calls are cancelled at these times after they began. */
const MOMENTS_MS = [0, 1, 2, 5, 10, 20, 40, 60, 80, 120];

let thread: EngineThread;
let neighbour: EngineThread;
beforeAll(async () => {
  const { threadEntry } = await testConfig();
  const engine = await testEngine();
  expect(engine.code.runtime).toBe('native');
  thread = new EngineThread(engine, threadEntry, () => {});
  neighbour = new EngineThread(engine, threadEntry, () => {});
  await loadTrace(neighbour, GZIP);
});
afterAll(async () => {
  await Promise.all([thread?.kill('the test ends'), neighbour?.kill('the test ends')]);
});

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
  expect(await scriptRows(neighbour, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
}

test('an endless query is interrupted at any time, and the thread loads the next trace', async () => {
  for (const ms of MOMENTS_MS) {
    await loadTrace(thread, GZIP);
    await expectCancelled((signal) => scriptRows(thread, ENDLESS, signal), ms);
  }
  await loadTrace(thread, GZIP);
  expect(await scriptRows(thread, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
});

test('a trace that never loads is interrupted at any time', async () => {
  for (const ms of MOMENTS_MS)
    await expectCancelled((signal) => loadTrace(thread, NEVER_LOADS, signal), ms);
  await loadTrace(thread, GZIP);
  expect(await scriptRows(thread, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
});

test('a load is cancelled at any time', async () => {
  for (const ms of [0, 1, 5, 10, 20])
    await expectCancelled((signal) => loadTrace(thread, LARGER, signal), ms);
  await loadTrace(thread, GZIP);
  expect(await scriptRows(thread, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
});

test('a stack overflow on an engine thread ends the query only', async () => {
  for (let round = 0; round < 3; round++) {
    await loadTrace(thread, GZIP);
    await expect(scriptRows(thread, FOREVER)).rejects.toMatchObject({
      code: 'engine_crashed',
      message: expect.stringContaining('Maximum call stack size exceeded'),
    });
    expect(thread.state.is).toBe('poisoned');
  }
  expect(await scriptRows(neighbour, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
});

test('an engine that begins another trace shares nothing of it before the thread has replied', async () => {
  await loadTrace(thread, LARGER);
  thread.wantShared();
  await scriptRows(thread, 'SELECT 1');
  const { memoryBytes, sharedBytes } = thread;
  expect(sharedBytes).toBeGreaterThan(2 ** 26);
  const loading = loadTrace(thread, GZIP);
  expect([thread.sharedBytes, thread.memoryBytes]).toEqual([0, memoryBytes - sharedBytes]);
  await loading;
  expect(thread.sharedBytes).toBe(0);
  expect(thread.memoryBytes).toBeGreaterThan(2 ** 20);
});

test('an engine that is killed in a query ends', async () => {
  await loadTrace(thread, GZIP);
  const query = scriptRows(thread, ENDLESS);
  await Promise.all([
    expect(query).rejects.toMatchObject({ code: 'engine_crashed' }),
    thread.kill('the test ends it'),
  ]);
  expect(await scriptRows(neighbour, 'SELECT count(*) FROM sched')).toEqual([[2547n]]);
});
