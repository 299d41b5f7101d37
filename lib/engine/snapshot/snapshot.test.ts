import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  freeSnapshot,
  PAGE_BYTES,
  restoreBlocks,
  restoreMemory,
  type Snapshot,
  snapshotMemory,
} from './snapshot.ts';

/** Memory of five blocks. Each page is filled with one value, mostly 0. */
const memories = fc
  .array(fc.constantFrom(0, 0, 0, 1, 2), { minLength: 1, maxLength: 80 })
  .map((pages) => {
    const memory = new Uint8Array(5 * 16 * PAGE_BYTES);
    for (const [page, value] of pages.entries())
      memory.fill(value, page * PAGE_BYTES + 1, (page + 1) * PAGE_BYTES);
    return memory;
  });

function imageOf(memory: Uint8Array, below: Snapshot[]): Snapshot {
  return { engine: 'e', ...snapshotMemory(memory, below) };
}

test('restoring a snapshot over any memory restores the memory that was copied', () => {
  fc.assert(
    fc.property(memories, memories, memories, (initial, loaded, other) => {
      const lowest = imageOf(initial, []);
      const upper = imageOf(loaded, [lowest]);
      const memory = other.slice();
      restoreMemory(memory, [lowest, upper]);
      expect(Buffer.compare(memory, loaded)).toBe(0);
      restoreMemory(memory, [lowest]);
      expect(Buffer.compare(memory, initial)).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('restoring a snapshot in blocks of any size restores the memory that was copied', () => {
  const blockBytes = fc.integer({ min: 1, max: 20 * PAGE_BYTES });
  fc.assert(
    fc.property(memories, memories, memories, blockBytes, (initial, loaded, other, bytes) => {
      const lowest = imageOf(initial, []);
      const { runs, contents } = imageOf(loaded, [lowest]);
      const blocks: Uint8Array[] = [];
      for (let at = 0; at < contents.length; at += bytes)
        blocks.push(contents.subarray(at, at + bytes));
      const memory = other.slice();
      restoreBlocks(memory, lowest, runs, blocks, memory.length);
      expect(Buffer.compare(memory, loaded)).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('restoring writes to new memory without reading it', () => {
  fc.assert(
    fc.property(memories, memories, memories, fc.nat(), (initial, loaded, other, at) => {
      const lowest = imageOf(initial, []);
      const upper = imageOf(loaded, [lowest]);
      const zeroFrom = at % loaded.length;
      const used = other.fill(0, zeroFrom);
      const memory = used.slice();
      restoreMemory(memory, [lowest, upper], zeroFrom);
      expect(Buffer.compare(memory, loaded)).toBe(0);
      const streamed = used.slice();
      restoreBlocks(streamed, lowest, upper.runs, [upper.contents], zeroFrom);
      expect(Buffer.compare(streamed, loaded)).toBe(0);
    }),
    { numRuns: 200 },
  );
  // The new memory is not zero here. It keeps its values, because restoring does not read it.
  const memory = new Uint8Array(4 * PAGE_BYTES).fill(1);
  restoreMemory(memory, [imageOf(new Uint8Array(4 * PAGE_BYTES), [])], 2 * PAGE_BYTES);
  expect([memory.indexOf(1), memory.lastIndexOf(0)]).toEqual([2 * PAGE_BYTES, 2 * PAGE_BYTES - 1]);
});

test('a snapshot contains only the pages that differ, in runs', () => {
  const initial = new Uint8Array(64 * PAGE_BYTES).fill(7);
  const loaded = initial.slice();
  for (const page of [3, 4, 20, 63]) loaded[page * PAGE_BYTES + 5] = 1;
  const { runs, contents } = imageOf(loaded, [imageOf(initial, [])]);
  expect([...runs]).toEqual([3, 2, 20, 1, 63, 1]);
  expect(contents.length).toBe(4 * PAGE_BYTES);
});

test('restoring zeroes the memory beyond the snapshot', () => {
  const small = imageOf(new Uint8Array(4 * PAGE_BYTES).fill(1), []);
  const memory = new Uint8Array(100 * PAGE_BYTES).fill(9);
  restoreMemory(memory, [small]);
  expect(memory.lastIndexOf(1)).toBe(4 * PAGE_BYTES - 1);
  expect(memory.indexOf(9)).toBe(-1);
});

test('a snapshot in ArrayBuffers restores the same memory, and is given back', () => {
  const memory = new Uint8Array(3 * PAGE_BYTES).fill(7, PAGE_BYTES, 2 * PAGE_BYTES);
  const snapshot = { engine: 'e', ...snapshotMemory(memory, [], ArrayBuffer) };
  const restored = new Uint8Array(memory.length).fill(1);
  restoreMemory(restored, [snapshot]);
  expect(restored).toEqual(memory);
  freeSnapshot(snapshot);
  expect(snapshot.contents.length).toBe('transfer' in ArrayBuffer.prototype ? 0 : PAGE_BYTES);
});
