/** Tests the footer of memory files; what engines read from them: native/memory-files.native-test.ts. */
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { encodeMemory, readMemoryFile } from './memory-file.ts';
import { PAGE_BYTES, type Snapshot } from './snapshot.ts';
import { SnapshotUnusable } from './snapshot-file.ts';

const OWNER = { engine: 'e'.repeat(64), key: 'k'.repeat(64) };
const directory = mkdtempSync(join(tmpdir(), 'bigtrace-footer-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A file of a snapshot with one page that is not zero. */
async function fileOf(memoryBytes: number): Promise<Buffer> {
  const contents = new Uint8Array(new SharedArrayBuffer(PAGE_BYTES)).fill(7);
  const snapshot: Snapshot = {
    ...{ engine: OWNER.engine, memoryBytes, contents },
    runs: Uint32Array.of(0, PAGE_BYTES / 4096),
  };
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeMemory([snapshot], OWNER, () => {}))
    pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** @param at where the bytes are in the file, whose beginning is a hole */
function read(bytes: Buffer, at = 0): unknown {
  const file = openSync(join(directory, 'file'), 'w+');
  try {
    ftruncateSync(file, at);
    writeSync(file, bytes, 0, bytes.length, at);
    return readMemoryFile(file, OWNER);
  } finally {
    closeSync(file);
  }
}

test('the longest footer is read: that of 2048 regions', async () => {
  const memoryBytes = 2 ** 27;
  const bytes = await fileOf(memoryBytes);
  expect(read(bytes)).toMatchObject({ memoryBytes, regionBytes: 2 ** 16 });
});

test('a footer that is longer than one can be is refused before it is read', async () => {
  const bytes = await fileOf(4 * PAGE_BYTES);
  const lengthAt = bytes.length - 64 - 18 - 4;
  bytes.writeUInt32LE(2 ** 31, lengthAt);
  const alloc = vi.spyOn(Buffer, 'alloc');
  expect(() => read(bytes, 3 * 2 ** 30)).toThrow(new SnapshotUnusable('it is damaged'));
  const sizes = alloc.mock.calls.map(([size]) => size);
  alloc.mockRestore();
  expect(Math.max(...sizes)).toBeLessThan(200);
  bytes.writeUInt32LE(100_000, lengthAt);
  expect(() => read(bytes, 2 ** 20)).toThrow(new SnapshotUnusable('it is damaged'));
});
