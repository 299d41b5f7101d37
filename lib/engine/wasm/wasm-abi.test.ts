import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadEngine } from '../index.ts';
import { hasMemory64, wasmWidth } from './wasm-abi.ts';

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** A memory section: one memory, with these flags, of no pages. */
const memory = (flags: number): number[] => [5, 3, 1, flags, 0];
/** A custom section with a name and contents. */
const custom = (...contents: number[]): number[] => [0, contents.length + 2, 1, 0x63, ...contents];
// biome-ignore format: one entry per line
const TYPES_AND_IMPORTS = [
  1, 10, 2, 0x60, 1, 0x7f, 1, 0x7e, 0x60, 0, 1, 0x7f, // types: (i32) -> i64, () -> i32
  2, 13, 2, 1, 0x65, 1, 0x66, 0, 0, 1, 0x65, 1, 0x67, 0, 1, // imports: e.f and e.g
];

test.each([
  [0, false],
  [1, false],
  [4, true],
  [5, true],
])('a memory with the flags %i has 64 bits: %s', (flags, is64) => {
  const file = Uint8Array.of(...HEADER, ...custom(1, 2, 3), ...memory(flags));
  expect(wasmWidth(file).is64).toBe(is64);
});

test('imports with a 64-bit result are found', () => {
  const file = Uint8Array.of(...HEADER, ...TYPES_AND_IMPORTS, ...memory(4));
  expect(wasmWidth(file)).toEqual({ is64: true, wideResults: new Set(['e.f']) });
});

test('a file that is not wasm has a width, so that compiling it reports the error', () => {
  expect(wasmWidth(Buffer.from('no wasm'))).toEqual({ is64: false, wideResults: new Set() });
});

test('a Node without 64-bit memory says which one has it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bigtrace-wide-'));
  const file = join(directory, 'trace_processor_memory64.wasm');
  writeFileSync(file, Uint8Array.of(...HEADER, ...memory(4)));
  const why = hasMemory64()
    ? 'the wasm does not export memory'
    : `it has 64-bit memory, which Node 24 and later can run; this is Node ${process.version}`;
  await expect(loadEngine(file)).rejects.toThrow(
    `cannot use ${file} as the TraceProcessor wasm: ${why}`,
  );
  rmSync(directory, { recursive: true });
});
