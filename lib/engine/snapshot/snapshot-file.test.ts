import { beforeAll, describe, expect, test } from 'vitest';
import { PAGE_BYTES, type Snapshot } from './snapshot.ts';
import { CODECS } from './snapshot-codec.ts';
import { encodeSnapshot, type ReadBytes, readSnapshot, SnapshotUnusable } from './snapshot-file.ts';

/** Returns a snapshot of slightly more than three blocks, of which parts are compressible. */
function testSnapshot(): Snapshot {
  const pages = 800;
  const contents = new Uint8Array(new SharedArrayBuffer(pages * PAGE_BYTES));
  for (let at = 0; at < contents.length; at += 3) contents[at] = (at * at) >> (at % 7);
  const runs = Uint32Array.of(5, pages - 1, 90_000, 1);
  return { engine: 'abc', memoryBytes: 2 ** 29, runs, contents };
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

/** Returns a reader that reads at most `size` bytes at a time. */
function inPieces(bytes: Uint8Array, size: number): ReadBytes {
  let at = 0;
  return (into) => {
    const piece = bytes.subarray(at, at + Math.min(size, into.length));
    into.set(piece);
    at += piece.length;
    return piece.length;
  };
}

/** Reads a whole snapshot file. */
function decoded(read: ReadBytes, engine = 'abc') {
  const { blocks, ...head } = readSnapshot(read, engine);
  const contents: Buffer[] = [];
  for (const block of blocks) contents.push(Buffer.from(block));
  return { ...head, contents: Buffer.concat(contents) };
}

describe.each(CODECS)('with $name', (codec) => {
  let file: Buffer;
  beforeAll(async () => {
    file = await bytesOf(encodeSnapshot(testSnapshot(), codec));
  });

  test.each([17, 65_536, 2 ** 25])(
    'a file read in pieces of %d bytes gives the snapshot',
    (size) => {
      expect(file.length).toBeLessThan(testSnapshot().contents.length);
      const snapshot = decoded(inPieces(file, size));
      expect(snapshot.memoryBytes).toBe(2 ** 29);
      expect([...snapshot.runs]).toEqual([...testSnapshot().runs]);
      expect(Buffer.compare(snapshot.contents, testSnapshot().contents)).toBe(0);
    },
  );

  test('a file that is cut short anywhere is refused', () => {
    for (let cut = 0; cut < file.length; cut += Math.ceil(file.length / 50))
      expect(() => decoded(inPieces(file.subarray(0, cut), 9999))).toThrow(SnapshotUnusable);
    expect(() => decoded(inPieces(file.subarray(0, -1), 9999))).toThrow('cut short');
  });

  test('a file with a flipped bit anywhere is refused', () => {
    for (let at = 0; at < file.length; at += Math.ceil(file.length / 60)) {
      const damaged = Buffer.from(file);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
      expect(() => decoded(inPieces(damaged, 9999))).toThrow(SnapshotUnusable);
    }
  });

  test('a file with additional bytes at its end is refused', () => {
    const longer = Buffer.concat([file, Buffer.alloc(50)]);
    expect(() => decoded(inPieces(longer, 9999))).toThrow(SnapshotUnusable);
  });

  test('a file of another engine is refused', () => {
    expect(() => decoded(inPieces(file, 100), 'xyz')).toThrow('it is of another engine');
  });
});

test.each([
  ['beyond its memory', [5, 799, 90_000, 1], 2 ** 28],
  ['out of order', [90_000, 1, 5, 799], 2 ** 29],
  ['over each other', [5, 799, 803, 1], 2 ** 29],
])('a file whose runs lie %s is refused', async (_how, runs, memoryBytes) => {
  const snapshot = { ...testSnapshot(), runs: Uint32Array.from(runs), memoryBytes };
  const file = await bytesOf(encodeSnapshot(snapshot));
  expect(() => decoded(inPieces(file, 9999))).toThrow('its header contradicts itself');
});

test('the error names a codec that this version of Node lacks', async () => {
  const codec = { ...CODECS[0], name: 'lzma' } as (typeof CODECS)[0];
  const file = await bytesOf(encodeSnapshot(testSnapshot(), codec));
  expect(() => decoded(inPieces(file, 9999))).toThrow('this Node has no codec lzma');
});
