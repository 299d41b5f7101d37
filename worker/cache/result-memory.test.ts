import { expect, test } from 'vitest';
import { type CachedResult, ResultMemoryCache } from './result-memory.ts';

function resultOf(bytes: number): CachedResult {
  return {
    results: [Buffer.alloc(bytes)],
    resultBytes: bytes,
    rows: 1,
    traceBytes: 1,
    columns: undefined,
  };
}

test('the size limit holds, and the least recently used result goes first', () => {
  const memory = new ResultMemoryCache(40_000);
  for (const key of ['a', 'b', 'c', 'd']) memory.put(key, resultOf(8000));
  expect(memory.get('a')).toBeDefined();
  memory.put('e', resultOf(8000));
  expect(['a', 'b', 'c', 'd', 'e'].map((key) => memory.get(key) !== undefined)).toEqual([
    true,
    false,
    true,
    true,
    true,
  ]);
  expect(memory.bytes).toBeLessThanOrEqual(40_000);
  expect(memory.size).toBe(4);
});

test('a result that is put twice counts once', () => {
  const memory = new ResultMemoryCache(40_000);
  memory.put('a', resultOf(8000));
  const { bytes } = memory;
  memory.put('a', resultOf(8000));
  expect(memory.bytes).toBe(bytes);
});

test('a result above its share of the memory is not kept, and not recorded to its end', () => {
  const memory = new ResultMemoryCache(40_000);
  memory.put('huge', resultOf(20_000));
  expect(memory.get('huge')).toBeUndefined();
  const recorder = memory.recorder();
  recorder.add(Buffer.alloc(9000));
  expect(recorder.results).toHaveLength(1);
  recorder.add(Buffer.alloc(9000));
  expect(recorder.results).toBeUndefined();
});

test('a cache of 0 bytes keeps nothing', () => {
  const memory = new ResultMemoryCache(0);
  memory.put('a', resultOf(0));
  expect(memory.size).toBe(0);
});
