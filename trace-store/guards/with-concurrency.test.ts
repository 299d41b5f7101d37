import { expect, test } from 'vitest';
import { codeOf } from '../testing/contract.ts';
import type { TraceStore } from '../trace-store.ts';
import { withConcurrency } from './with-concurrency.ts';

/** A store whose reads end when they are told to. */
function heldStore() {
  const holds: (() => void)[] = [];
  let most = 0;
  const store: TraceStore = {
    name: 'held',
    stat: async () => ({ size: 1, generation: '1', modifiedMs: 0 }),
    async *read() {
      const held = new Promise<void>((resolve) => holds.push(resolve));
      most = Math.max(most, holds.length);
      await held;
      yield Buffer.of(1);
    },
    async *list() {
      yield [];
    },
  };
  return { store, holds, most: () => most };
}

const readAll = async (store: TraceStore, signal?: AbortSignal): Promise<number> => {
  let bytes = 0;
  for await (const chunk of store.read('x', { generation: '1', signal })) bytes += chunk.length;
  return bytes;
};

test('no more at once than it says, first come first served', async () => {
  const { store, holds, most } = heldStore();
  const bounded = withConcurrency(store, 2);
  const done: number[] = [];
  const reads = [0, 1, 2, 3].map((nth) => readAll(bounded).then(() => done.push(nth)));
  for (let released = 0; released < 4; released++) {
    await expect.poll(() => holds.length).toBeGreaterThan(0);
    expect(holds.length).toBeLessThanOrEqual(2);
    holds.shift()?.();
  }
  await Promise.all(reads);
  expect(done).toEqual([0, 1, 2, 3]);
  expect(most()).toBe(2);
});

test('who waits can be cancelled, and a read that is left gives its place back', async () => {
  const { store, holds } = heldStore();
  const bounded = withConcurrency(store, 1);
  const first = bounded.read('x', { generation: '1' });
  const iterator = first[Symbol.asyncIterator]();
  const chunk = iterator.next();
  expect(await codeOf(readAll(bounded, AbortSignal.timeout(10)))).toBe('cancelled');
  holds.shift()?.();
  await chunk;
  await iterator.return?.();
  expect(await bounded.stat('x')).toMatchObject({ size: 1 });
});
