/** Reads bytes of an archive in a store: a range, or one piece after another. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createInflateRaw } from 'node:zlib';
import { cutShort, damagedData } from '../../common/archive/damage.ts';
import { BigtraceError } from '../../common/errors.ts';
import type { TraceStore } from '../trace-store.ts';

export interface Archive {
  store: TraceStore;
  path: string;
  generation: string;
  /** Undefined if the store does not report it. */
  size: number | undefined;
  signal: AbortSignal | undefined;
}

export type Bytes = AsyncIterable<Uint8Array>;

/** Yields the bytes of the archive from an offset on, and ends the download after `length` bytes. */
export async function* bytesFrom(
  { store, path, generation, size, signal }: Archive,
  start: number,
  length = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = length;
  if (left <= 0 || (size !== undefined && start >= size)) return;
  for await (const chunk of store.read(path, { generation, start, signal })) {
    yield chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= chunk.length;
    if (left <= 0) return;
  }
}

/** Returns `length` bytes, or fewer at the end of the archive. */
export async function rangeOf(archive: Archive, start: number, length: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytesFrom(archive, start, length)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const UNPACKED_CHUNK_BYTES = 256 * 1024;

/**
 * Decompresses deflate data, without a header (`raw`) or in the gzip format.
 * @throws trace_invalid, and what reading the source throws
 */
export async function* inflated(
  source: Bytes,
  format: 'raw' | 'gzip',
): AsyncGenerator<Uint8Array, void, undefined> {
  const create = format === 'raw' ? createInflateRaw : createGunzip;
  const inflate = create({ chunkSize: UNPACKED_CHUNK_BYTES });
  pipeline(Readable.from(source, { objectMode: true }), inflate, () => {}); // the loop below throws its error
  try {
    // zlib's chunks share memory, but the caller of a store may keep or transfer each of them.
    for await (const chunk of inflate as AsyncIterable<Buffer>) yield new Uint8Array(chunk);
  } catch (thrown) {
    throw thrown instanceof BigtraceError ? thrown : inflateError(thrown, format);
  }
}

function inflateError(thrown: unknown, format: 'raw' | 'gzip'): unknown {
  if (!(thrown instanceof Error && 'code' in thrown && String(thrown.code).startsWith('Z_')))
    return thrown;
  const name = format === 'raw' ? 'deflate' : 'gzip';
  return thrown.code === 'Z_BUF_ERROR' ? cutShort(name) : damagedData(name, thrown.message);
}

/** Takes bytes from the beginning of an archive to its end. */
export class ByteCursor {
  /** Offset of the next byte. */
  at = 0;
  readonly #open: (start: number) => AsyncGenerator<Uint8Array, void, undefined>;
  readonly #canSeek: boolean;
  #source: AsyncGenerator<Uint8Array, void, undefined> | undefined;
  #held: Uint8Array = new Uint8Array(0);

  /** @param canSeek whether `open` may be called with another offset than 0 */
  constructor(
    open: (start: number) => AsyncGenerator<Uint8Array, void, undefined>,
    canSeek: boolean,
  ) {
    this.#open = open;
    this.#canSeek = canSeek;
  }

  /** Returns the next bytes; fewer at the end. */
  async take(length: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    let missing = length;
    while (missing > 0 && (this.#held.length > 0 || (await this.#next()))) {
      const piece = this.#held.subarray(0, missing);
      pieces.push(piece);
      missing -= piece.length;
      this.#advance(piece.length);
    }
    return Buffer.concat(pieces);
  }

  /** @returns whether there were as many bytes, as far as it is known */
  async skip(length: number): Promise<boolean> {
    let left = length;
    while (left > 0) {
      if (this.#held.length === 0 && this.#canSeek && left > SEEK_BYTES_MIN) {
        await this.close();
        this.at += left;
        return true;
      }
      if (this.#held.length === 0 && !(await this.#next())) return false;
      const skipped = Math.min(left, this.#held.length);
      this.#advance(skipped);
      left -= skipped;
    }
    return true;
  }

  async close(): Promise<void> {
    const source = this.#source;
    this.#source = undefined;
    this.#held = new Uint8Array(0);
    await source?.return();
  }

  #advance(bytes: number): void {
    this.#held = this.#held.subarray(bytes);
    this.at += bytes;
  }

  async #next(): Promise<boolean> {
    this.#source ??= this.#open(this.at);
    const { value, done } = await this.#source.next();
    if (value !== undefined) this.#held = value;
    return done !== true;
  }
}

/** A new request pays off if it saves the transfer of this many bytes. */
const SEEK_BYTES_MIN = 4 * 2 ** 20;
