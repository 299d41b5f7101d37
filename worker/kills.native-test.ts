/** Engine threads are killed at many moments of their start and of their work; the process goes on. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { ROOT } from '../lib/common/root.ts';
import { threadBundle } from '../lib/common/testing/thread-bundle.ts';
import { engineFilesIn } from '../lib/engine/engine-choice.ts';
import { type Engine, loadEngine } from '../lib/engine/index.ts';
import { RUNTIME_UNDER_TEST } from '../test/harness/engine-runtime.ts';
import { EngineThread } from './engines/engine-thread.ts';
import { corpusTrace, loadTrace, scriptRows } from './testing/engine-thread.ts';

const TRACE = corpusTrace('recorded/linux/mem-pressure.pftrace');
const COUNT = 'SELECT count(*) FROM ftrace_event';
/** Pairs of threads, each killed later than the one before, up to after its first result on an idle machine. */
const KILLS = 40;
const STEP_MS = 7;

let entry: URL;
let engine: Engine;

beforeAll(async () => {
  entry = await threadBundle(join(import.meta.dirname, 'engines/thread.ts'));
  const { wasm } = engineFilesIn(join(ROOT, 'vendor/trace-processor'));
  engine = await loadEngine(wasm, [], RUNTIME_UNDER_TEST);
});

async function work(thread: EngineThread): Promise<unknown> {
  await loadTrace(thread, TRACE);
  return (await scriptRows(thread, COUNT))[0]?.[0];
}

/** Returns the value that the thread found before it was killed; undefined if it was killed first. */
async function killedAfter(ms: number): Promise<unknown> {
  const thread = new EngineThread(engine, entry, () => {});
  const found = work(thread).catch(() => undefined);
  await delay(ms);
  await thread.kill('the test ends it');
  return found;
}

test('threads that are killed while they start, load or query end alone', async () => {
  const whole = new EngineThread(engine, entry, () => {});
  const count = await work(whole);
  expect(count).toBeGreaterThan(0n);
  for (let kill = 0; kill < KILLS; kill++) {
    const found = await Promise.all([killedAfter(kill * STEP_MS), killedAfter(kill * STEP_MS)]);
    for (const value of found) expect([undefined, count]).toContain(value);
  }
  expect((await scriptRows(whole, COUNT))[0]?.[0]).toBe(count);
  await whole.kill('the test is over');
});
