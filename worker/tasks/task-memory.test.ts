/** Tests that tasks reserve memory for large traces before they load them, in the model of the worker. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Dice } from '../../lib/common/testing/dice.ts';
import type { Engine, WideEngine } from '../../lib/engine/index.ts';
import type { TaskPhase } from '../../lib/proto/messages.ts';
import { ModelWorld } from '../testing/model.ts';
import { MODEL_LIMITS, modelWorker } from '../testing/model-worker.ts';
import type { TaskLimits } from './limits.ts';
import { scriptFacts } from './script.ts';
import { executeTask } from './task-executor.ts';
import type { TaskExecutorParts } from './task-request.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => vi.useRealTimers());

const MIB = 2 ** 20;

const NEVER = { storeFails: 0, storeHangs: 0, invalid: 0, endless: 0, threadDies: 0 };

/** A world in which nothing goes wrong, and nothing is cached. */
function quietWorld(): ModelWorld {
  const habits = { ...NEVER, snapshots: 0, snapshotUnusable: 0, shares: 0, dice: new Dice(1) };
  return new ModelWorld(habits, 8);
}

interface Told {
  user?: string;
  sql?: string;
  limits?: TaskLimits;
  signal?: AbortSignal;
  onPhase?: (phase: TaskPhase) => void;
}

function runTask(
  parts: TaskExecutorParts,
  trace: string,
  { user = 'u', sql = 'SELECT 1', limits = MODEL_LIMITS, signal, onPhase = () => {} }: Told = {},
): Promise<unknown> {
  return executeTask(
    parts,
    {
      ...{ trace, generation: '', alone: false, limits, turn: { user, query: {} } },
      script: scriptFacts(Buffer.from(sql), []),
      wantsKinds: false,
      onBegin: () => {},
      onPhase,
      onResult: () => undefined,
    },
    signal ?? new AbortController().signal,
  );
}

/** Lets virtual time pass until the promise is settled. */
async function settled<Value>(promise: Promise<Value>): Promise<Value> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  promise.then(end, end);
  while (!over) await vi.advanceTimersByTimeAsync(10);
  return promise;
}

/** Runs four tasks on traces of this size. @returns the largest number of engines that worked at the same time */
async function workingMost(traceBytes: number, memoryBytesMax: number): Promise<number> {
  const world = quietWorld();
  world.traceBytes = traceBytes;
  const parts = await modelWorker(world, { threads: 4, spareThreads: 0, memoryBytesMax });
  await settled(Promise.all([1, 2, 3, 4].map((nth) => runTask(parts, `/near/${nth}`))));
  return world.workingMost;
}

test('traces that are expected to need more than a share of the memory are loaded one after another', async () => {
  // The model's traces are of no known format, so an engine is expected to need four times their size.
  expect(await workingMost(40 * MIB, 800 * MIB)).toBe(4);
  expect(await workingMost(60 * MIB, 800 * MIB)).toBe(3);
  expect(await workingMost(60 * MIB, 500 * MIB)).toBe(2);
  expect(await workingMost(60 * MIB, 250 * MIB)).toBe(1);
});

const SMALL = { traceBytes: 54, memoryBytes: 24 * MIB, queryMs: 1 };

/**
 * Runs small tasks of another user while a task on a large trace, which needs `largeBytes`, runs for a minute.
 * @returns the time that the slowest small task took, in milliseconds
 */
async function slowestBeside(largeBytes: number): Promise<number> {
  const world = quietWorld();
  world.given.set('/near/large', {
    ...{ traceBytes: 100 * MIB, memoryBytes: largeBytes, queryMs: 20_000 },
  });
  const parts = await modelWorker(world, {
    ...{ threads: 2, spareThreads: 2, memoryBytesMax: 256 * MIB },
  });
  let phase: TaskPhase | undefined;
  const large = runTask(parts, '/near/large', {
    onPhase: (next) => {
      phase = next;
    },
  });
  while (phase !== 'RUNNING_SQL') await vi.advanceTimersByTimeAsync(10);
  let slowestMs = 0;
  for (let nth = 1; nth <= 6; nth++) {
    world.given.set(`/near/${nth}`, SMALL);
    const from = performance.now();
    await settled(runTask(parts, `/near/${nth}`, { user: 'other', sql: `SELECT ${nth}` }));
    slowestMs = Math.max(slowestMs, performance.now() - from);
  }
  expect(phase).toBe('RUNNING_SQL'); // the large one still runs
  await settled(large);
  expect(parts.admission.gauges()).toMatchObject({ memory_reserved: 0, memory_waiting: 0 });
  return slowestMs;
}

test('small tasks are prompt beside a large trace that fills the memory', async () => {
  expect(await slowestBeside(150 * MIB)).toBeLessThan(1000);
  expect(await slowestBeside(250 * MIB)).toBeLessThan(1000);
});

test('a cancelled task does not wait until the engine with 64-bit memory is loaded', async () => {
  const world = quietWorld();
  world.traceBytes = 2 ** 31;
  let isAsked = false;
  const wide: Pick<WideEngine, 'engine'> = {
    engine: () => {
      isAsked = true;
      return new Promise<Engine>(() => {});
    },
  };
  const parts = await modelWorker(world, { threads: 2, spareThreads: 0, memoryBytesMax: 2 ** 34 });
  const cancel = new AbortController();
  const task = runTask({ ...parts, wide: wide as WideEngine }, '/near/large', {
    limits: { ...MODEL_LIMITS, memoryBytesMax: 2 ** 33 },
    signal: cancel.signal,
  });
  while (!isAsked) await vi.advanceTimersByTimeAsync(10);
  const reason = new Error('cancelled');
  cancel.abort(reason);
  await expect(task).rejects.toBe(reason);
  expect(parts.pool.gauges()['engines_busy']).toBe(0);
});
