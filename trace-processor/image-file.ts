/**
 * Images of memory as files: a line of magic, then frames: length (u32, little endian), digest (64
 * bytes), payload. The first payload is a JSON header, each other a compressed block of the contents.
 * A frame's digest is the BLAKE2b-512 of the digest before it and its payload, so every byte is checked
 * before it is used, and frames can neither be missing nor stand elsewhere. (SHA-256 takes twice as long
 * where the processor has no instructions for it.)
 */
import { createHash } from 'node:crypto';
import { type Image, PAGE_BYTES } from './image.ts';
import { CODECS, type Codec, codecNamed } from './image-codec.ts';

const MAGIC = Buffer.from('bigtrace image 2\n');
const BLOCK_BYTES = 2 ** 20;
const FRAME_HEAD_BYTES = 68;
/** A compressed block may be a little longer than it was; a header is shorter. */
const FRAME_BYTES_MAX = 16 * 2 ** 20;

/** A file that cannot be used: damaged, cut short, of another engine or a codec this Node lacks. */
export class ImageUnusable extends Error {
  override readonly name = 'ImageUnusable';
}

interface Header {
  engine: string;
  codec: string;
  memoryBytes: number;
  runs: number[];
  contentsBytes: number;
}

/** The file in pieces of up to about 1 MiB; one block more than what is being written is in memory. */
export async function* encodeImage(
  image: Image,
  codec: Codec | undefined = CODECS[0],
): AsyncGenerator<Uint8Array> {
  if (codec === undefined) throw new Error('no codec');
  const header: Header = {
    engine: image.engine,
    codec: codec.name,
    memoryBytes: image.memoryBytes,
    runs: [...image.runs],
    contentsBytes: image.contents.length,
  };
  yield MAGIC;
  let digest: Uint8Array = MAGIC;
  const frame = (payload: Uint8Array): Uint8Array => {
    digest = chained(digest, payload);
    const head = Buffer.alloc(FRAME_HEAD_BYTES);
    head.writeUInt32LE(payload.length);
    head.set(digest, 4);
    return Buffer.concat([head, payload]);
  };
  yield frame(Buffer.from(JSON.stringify(header)));
  for (let at = 0; at < image.contents.length; at += BLOCK_BYTES)
    yield frame(await codec.compress(image.contents.subarray(at, at + BLOCK_BYTES)));
}

/**
 * Reads a file's bytes, cut anywhere, as an image of the engine with this identity.
 * @throws ImageUnusable; what `pieces` throws
 */
export async function decodeImage(
  pieces: AsyncIterable<Uint8Array>,
  engine: string,
): Promise<Image> {
  let opened: { codec: Codec; image: Image } | undefined;
  let at = 0;
  for await (const payload of framePayloads(pieces)) {
    if (opened === undefined) {
      opened = readHeader(payload, engine);
      continue;
    }
    const { codec, image } = opened;
    const block = image.contents.subarray(at, at + BLOCK_BYTES);
    if (block.length === 0) throw new ImageUnusable('it is longer than its header says');
    at += block.length;
    block.set(decompressed(payload, block.length, codec));
  }
  if (opened === undefined) throw new ImageUnusable('it has no header');
  if (at < opened.image.contents.length) throw new ImageUnusable('it is cut short');
  return opened.image;
}

function decompressed(payload: Uint8Array, length: number, codec: Codec): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = codec.decompress(payload, length);
  } catch (cause) {
    throw new ImageUnusable('a block of it does not decompress', { cause });
  }
  if (bytes.length !== length) throw new ImageUnusable('a block of it has another length');
  return bytes;
}

function readHeader(payload: Uint8Array, engine: string): { codec: Codec; image: Image } {
  // Its digest was right: it is as it was written, if not by this engine or this Node.
  const header = JSON.parse(Buffer.from(payload).toString('utf8')) as Header;
  if (header.engine !== engine) throw new ImageUnusable('it is of another engine');
  const codec = codecNamed(header.codec);
  if (codec === undefined) throw new ImageUnusable(`this Node has no codec ${header.codec}`);
  const runs = new Uint32Array(new SharedArrayBuffer(4 * header.runs.length));
  runs.set(header.runs);
  const pages = header.runs.reduce((sum, each, at) => sum + (at % 2 === 1 ? each : 0), 0);
  if (pages * PAGE_BYTES !== header.contentsBytes)
    throw new ImageUnusable('its header contradicts itself');
  const contents = new Uint8Array(new SharedArrayBuffer(header.contentsBytes));
  return { codec, image: { engine, memoryBytes: header.memoryBytes, runs, contents } };
}

/** The payloads of a file whose magic and digests are right. */
async function* framePayloads(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const input = new Input(pieces);
  try {
    const magic = await input.take(MAGIC.length);
    if (magic === undefined || !MAGIC.equals(magic)) throw new ImageUnusable('it is no image');
    let digest: Uint8Array = MAGIC;
    for (;;) {
      const head = await input.take(FRAME_HEAD_BYTES);
      if (head === undefined) return;
      const length = head.readUInt32LE();
      const payload = length <= FRAME_BYTES_MAX ? await input.take(length) : undefined;
      if (payload === undefined) throw new ImageUnusable('it is cut short or damaged');
      digest = chained(digest, payload);
      if (!head.subarray(4).equals(digest)) throw new ImageUnusable('it is damaged');
      yield payload;
    }
  } finally {
    await input.close();
  }
}

/** Cuts a stream of pieces anew. */
class Input {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #held = Buffer.alloc(0);

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next `length` bytes; undefined at the end. @throws ImageUnusable where the end cuts them short */
  async take(length: number): Promise<Buffer | undefined> {
    let held = this.#held;
    if (held.length < length) {
      const pieces: Uint8Array[] = [held];
      for (let bytes = held.length; bytes < length; ) {
        const next = await this.#pieces.next();
        if (next.done === true) {
          if (bytes === 0) return undefined;
          throw new ImageUnusable('it is cut short or damaged');
        }
        pieces.push(next.value);
        bytes += next.value.length;
      }
      held = Buffer.concat(pieces);
    }
    this.#held = held.subarray(length);
    return held.subarray(0, length);
  }

  /** Lets go of the pieces' source. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}

function chained(before: Uint8Array, payload: Uint8Array): Buffer {
  return createHash('blake2b512').update(before).update(payload).digest();
}
