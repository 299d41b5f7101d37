/** Tests that tasks reserve memory for large traces before they load them, in the model of the worker. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Dice } from '../../lib/common/testing/dice.ts';
import { ModelWorld } from '../testing/model.ts';
import { MODEL_LIMITS, modelWorker } from '../testing/model-worker.ts';
import { scriptFacts } from './script.ts';
import { executeTask } from './task-executor.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => vi.useRealTimers());

const MIB = 2 ** 20;

/** Runs four tasks on traces of this size. @returns the largest number of engines that worked at the same time */
async function workingMost(traceBytes: number, memoryBytesMax: number): Promise<number> {
  const never = { storeFails: 0, storeHangs: 0, invalid: 0, endless: 0 };
  const habits = { ...never, threadDies: 0, snapshots: 0, snapshotUnusable: 0, dice: new Dice(1) };
  const world = new ModelWorld(habits, 8);
  world.traceBytes = traceBytes;
  const parts = await modelWorker(world, { threads: 4, spareThreads: 0, memoryBytesMax });
  const turn = { user: 'u', query: {} };
  const tasks = [1, 2, 3, 4].map((nth) =>
    executeTask(
      parts,
      {
        ...{ trace: `/near/${nth}`, generation: '', alone: false, limits: MODEL_LIMITS, turn },
        script: scriptFacts(Buffer.from('SELECT 1'), []),
        wantsKinds: false,
        onBegin: () => {},
        onPhase: () => {},
        onResult: () => undefined,
      },
      new AbortController().signal,
    ),
  );
  const all = Promise.all(tasks);
  let over = false;
  const end = (): void => {
    over = true;
  };
  all.then(end, end);
  while (!over) await vi.advanceTimersByTimeAsync(100);
  await all;
  return world.workingMost;
}

test('traces that are expected to need more than a share of the memory are loaded one after another', async () => {
  // The model's traces are of no known format, so an engine is expected to need four times their size.
  expect(await workingMost(40 * MIB, 800 * MIB)).toBe(4);
  expect(await workingMost(60 * MIB, 800 * MIB)).toBe(3);
  expect(await workingMost(60 * MIB, 500 * MIB)).toBe(2);
  expect(await workingMost(60 * MIB, 250 * MIB)).toBe(1);
});
