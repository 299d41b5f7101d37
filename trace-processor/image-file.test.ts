import { beforeAll, describe, expect, test } from 'vitest';
import { type Image, PAGE_BYTES } from './image.ts';
import { CODECS } from './image-codec.ts';
import { decodeImage, encodeImage, ImageUnusable } from './image-file.ts';

/** Compressible and not, three blocks and a bit. */
function testImage(): Image {
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

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe.each(CODECS)('with $name', (codec) => {
  let file: Buffer;
  beforeAll(async () => {
    file = await bytesOf(encodeImage(testImage(), codec));
  });

  test.each([17, 65_536, 2 ** 25])('comes back from pieces of %d bytes', async (size) => {
    expect(file.length).toBeLessThan(testImage().contents.length);
    const image = await decodeImage(inPieces(file, size), 'abc');
    expect(image.memoryBytes).toBe(2 ** 29);
    expect([...image.runs]).toEqual([...testImage().runs]);
    expect(Buffer.compare(image.contents, testImage().contents)).toBe(0);
    expect(image.contents.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test('cut anywhere, it is refused', async () => {
    for (let cut = 0; cut < file.length; cut += Math.ceil(file.length / 50))
      await expect(decodeImage(inPieces(file.subarray(0, cut), 9999), 'abc')).rejects.toThrow(
        ImageUnusable,
      );
    await expect(decodeImage(inPieces(file.subarray(0, -1), 9999), 'abc')).rejects.toThrow(
      'cut short',
    );
  });

  test('damaged anywhere, it is refused', async () => {
    for (let at = 0; at < file.length; at += Math.ceil(file.length / 60)) {
      const damaged = Buffer.from(file);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
      await expect(decodeImage(inPieces(damaged, 9999), 'abc')).rejects.toThrow(ImageUnusable);
    }
  });

  test('a longer one is refused', async () => {
    const longer = Buffer.concat([file, Buffer.alloc(50)]);
    await expect(decodeImage(inPieces(longer, 9999), 'abc')).rejects.toThrow(ImageUnusable);
  });

  test('one of another engine is refused, and its source let go of', async () => {
    let released = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        yield* inPieces(file, 100);
      } finally {
        released = true;
      }
    }
    await expect(decodeImage(source(), 'xyz')).rejects.toThrow('it is of another engine');
    expect(released).toBe(true);
  });
});

test('a codec this Node lacks is named', async () => {
  const codec = { ...CODECS[0], name: 'lzma' } as (typeof CODECS)[0];
  await expect(decodeImage(encodeImage(testImage(), codec), 'abc')).rejects.toThrow(
    'this Node has no codec lzma',
  );
});
