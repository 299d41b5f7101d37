/**
 * Reads and writes snapshot files. A file is a line of magic, then frames of length (u32, little-endian), digest (64
 * bytes) and payload. The first payload is a JSON header; every other one is a compressed block of the contents.
 * A frame's digest is the BLAKE2b-512 of the previous digest (at first, the magic) and the payload, so every byte is
 * checked before it is used, and a missing or misplaced frame is detected. (SHA-256 takes twice as long on
 * processors without instructions for it.)
 */
import { createHash } from 'node:crypto';
import { fits, PAGE_BYTES, type Snapshot, type SnapshotHead } from './snapshot.ts';
import { CODECS, type Codec, codecNamed } from './snapshot-codec.ts';

const MAGIC = Buffer.from('bigtrace image 2\n');
const BLOCK_BYTES = 2 ** 20;
const FRAME_HEAD_BYTES = 68;
/** Size of the input buffer; it grows when a frame is longer. The reader can stop before each read. */
const INPUT_BYTES = 2 ** 18;
/** Bound of a payload. A compressed block may be slightly longer than BLOCK_BYTES; a header is shorter than this. */
const FRAME_BYTES_MAX = 16 * 2 ** 20;

/** The file cannot be used: it is damaged or cut short, is of another engine, or has a codec that this Node lacks. */
export class SnapshotUnusable extends Error {
  override readonly name = 'SnapshotUnusable';
}

/** The bytes of the file could not be read this time (EMFILE, EIO); its contents may be valid. */
export class SnapshotUnreadable extends SnapshotUnusable {}

/**
 * Runs an operation on the file of a snapshot.
 * @throws SnapshotUnreadable if it fails: the trace is parsed instead, and the file is kept
 */
export function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new SnapshotUnreadable(`it cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** The file is valid, but of another engine. */
export class SnapshotOfOtherEngine extends SnapshotUnusable {}

interface Header {
  engine: string;
  codec: string;
  memoryBytes: number;
  runs: number[];
  contentsBytes: number;
}

/** Yields a snapshot file in pieces of up to about 1 MiB. At most one block is in memory besides the current piece. */
export async function* encodeSnapshot(
  snapshot: Snapshot,
  codec: Codec | undefined = CODECS[0],
): AsyncGenerator<Uint8Array> {
  if (codec === undefined) throw new Error('no codec');
  const header: Header = {
    engine: snapshot.engine,
    codec: codec.name,
    memoryBytes: snapshot.memoryBytes,
    runs: [...snapshot.runs],
    contentsBytes: snapshot.contents.length,
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
  for (let at = 0; at < snapshot.contents.length; at += BLOCK_BYTES)
    yield frame(await codec.compress(snapshot.contents.subarray(at, at + BLOCK_BYTES)));
}

/** Reads the file's next bytes to the beginning of `into`. @returns how many; 0 at the end of the file */
export type ReadBytes = (into: Uint8Array) => number;

/** A snapshot file whose header has been read. */
export interface SnapshotReader extends SnapshotHead {
  /**
   * The contents in order; each block is valid until the next one.
   * @throws SnapshotUnusable; what the file's `read` throws
   */
  blocks: Generator<Uint8Array, void, undefined>;
}

/**
 * Opens a snapshot file, which must be of the engine with this identity. A block is returned only after its digest
 * was checked, but a later block may prove to be damaged.
 * @throws SnapshotUnusable; what `read` throws
 */
export function readSnapshot(read: ReadBytes, engine: string): SnapshotReader {
  const payloads = framePayloads(read);
  const first = payloads.next();
  if (first.done === true) throw new SnapshotUnusable('it has no header');
  const { codec, contentsBytes, ...head } = readHeader(first.value, engine);
  return { ...head, blocks: blocksOf(payloads, codec, contentsBytes) };
}

function* blocksOf(
  payloads: Iterable<Uint8Array>,
  codec: Codec,
  contentsBytes: number,
): Generator<Uint8Array, void, undefined> {
  let at = 0;
  for (const payload of payloads) {
    const length = Math.min(BLOCK_BYTES, contentsBytes - at);
    if (length === 0) throw new SnapshotUnusable('it is longer than its header says');
    at += length;
    yield decompressed(payload, length, codec);
  }
  if (at < contentsBytes) throw new SnapshotUnusable('it is cut short');
}

function decompressed(payload: Uint8Array, length: number, codec: Codec): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = codec.decompress(payload, length);
  } catch (cause) {
    throw new SnapshotUnusable('a block of it does not decompress', { cause });
  }
  if (bytes.length !== length) throw new SnapshotUnusable('a block of it has another length');
  return bytes;
}

function readHeader(
  payload: Uint8Array,
  engine: string,
): SnapshotHead & { codec: Codec; contentsBytes: number } {
  // The digest was correct, so the header is as it was written, but maybe by another engine or version of Node.
  const header = JSON.parse(Buffer.from(payload).toString('utf8')) as Header;
  if (header.engine !== engine) throw new SnapshotOfOtherEngine('it is of another engine');
  const codec = codecNamed(header.codec);
  if (codec === undefined) throw new SnapshotUnusable(`this Node has no codec ${header.codec}`);
  const { memoryBytes, contentsBytes } = header;
  const runs = Uint32Array.from(header.runs);
  const pages = header.runs.reduce((sum, each, at) => sum + (at % 2 === 1 ? each : 0), 0);
  if (pages * PAGE_BYTES !== contentsBytes || !fits(runs, memoryBytes))
    throw new SnapshotUnusable('its header contradicts itself');
  return { engine, memoryBytes, runs, codec, contentsBytes };
}

/** Checks the magic and the digests of a file and yields the payloads; each is valid until the next one. */
function* framePayloads(read: ReadBytes): Generator<Uint8Array, void, undefined> {
  const input = new Input(read);
  const magic = input.take(MAGIC.length);
  if (magic === undefined || !MAGIC.equals(magic))
    throw new SnapshotUnusable('it is not a snapshot');
  let digest: Uint8Array = MAGIC;
  for (;;) {
    const head = input.take(FRAME_HEAD_BYTES);
    if (head === undefined) return;
    const length = head.readUInt32LE();
    const expected = Buffer.from(head.subarray(4)); // a copy: the next `take` may overwrite the buffer
    const payload = length <= FRAME_BYTES_MAX ? input.take(length) : undefined;
    if (payload === undefined) throw new SnapshotUnusable('it is cut short or damaged');
    digest = chained(digest, payload);
    if (!expected.equals(digest)) throw new SnapshotUnusable('it is damaged');
    yield payload;
  }
}

/** Buffers a file and returns its bytes in the requested lengths. */
class Input {
  readonly #read: ReadBytes;
  #buffer = Buffer.allocUnsafeSlow(INPUT_BYTES);
  #from = 0;
  #to = 0;

  constructor(read: ReadBytes) {
    this.#read = read;
  }

  /**
   * Returns the next `length` bytes, valid until the next call; undefined at the end of the file.
   * @throws SnapshotUnusable when the file ends within them
   */
  take(length: number): Buffer | undefined {
    if (this.#to - this.#from < length) this.#moveToFront(length);
    while (this.#to - this.#from < length) {
      const bytes = this.#read(this.#buffer.subarray(this.#to));
      if (bytes === 0 && this.#from === this.#to) return undefined;
      if (bytes === 0) throw new SnapshotUnusable('it is cut short or damaged');
      this.#to += bytes;
    }
    const from = this.#from;
    this.#from += length;
    return this.#buffer.subarray(from, this.#from);
  }

  #moveToFront(length: number): void {
    const rest = this.#buffer.subarray(this.#from, this.#to);
    if (length > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(length);
    this.#buffer.set(rest);
    this.#to = rest.length;
    this.#from = 0;
  }
}

function chained(before: Uint8Array, payload: Uint8Array): Buffer {
  return createHash('blake2b512').update(before).update(payload).digest();
}
