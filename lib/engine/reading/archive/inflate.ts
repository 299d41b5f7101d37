/**
 * Decompresses deflate data as its bytes arrive, with the package `pako`. Node's own zlib decompresses either whole
 * buffers or asynchronously; an engine thread can do neither.
 */
import { cutShort, damagedData } from '../../../common/archive/damage.ts';
import type { Codec } from '../compression/codec.ts';
import { loadPako } from '../compression/packages.ts';

const OUTPUT_BYTES = 64 * 1024;
/** zlib's window bits: negative for raw data, 16 more for the gzip format. */
const WINDOW_BITS = { raw: -15, gzip: 15 + 16 } as const;

/** One deflate stream: raw, or with the header and checksum of gzip. */
export class Inflater {
  readonly #pako = loadPako();
  readonly #format: keyof typeof WINDOW_BITS;
  readonly #stream = new this.#pako.ZStream();
  readonly #output = new Uint8Array(OUTPUT_BYTES);
  /** Whether the stream has ended. Bytes that follow it are not consumed. */
  ended = false;

  constructor(format: keyof typeof WINDOW_BITS) {
    this.#format = format;
    this.#pako.zlibInflateInit2(this.#stream, WINDOW_BITS[format]);
  }

  /**
   * Decompresses the next bytes; each piece of output is valid only during the call of `emit`.
   * @returns the number of bytes that belong to the stream
   * @throws BigtraceError trace_invalid
   */
  push(bytes: Uint8Array, emit: (piece: Uint8Array) => void): number {
    const stream = this.#stream;
    const { Z_NO_FLUSH, Z_OK, Z_STREAM_END, zlibInflate } = this.#pako;
    stream.input = bytes;
    stream.next_in = 0;
    stream.avail_in = bytes.length;
    stream.avail_out = 0;
    // A full output buffer may hide more output of the same input.
    while (!this.ended && (stream.avail_in > 0 || stream.avail_out === 0)) {
      stream.output = this.#output;
      stream.next_out = 0;
      stream.avail_out = OUTPUT_BYTES;
      const before = stream.avail_in;
      const result = zlibInflate(stream, Z_NO_FLUSH);
      if (stream.next_out > 0) emit(this.#output.subarray(0, stream.next_out));
      if (result === Z_STREAM_END) this.ended = true;
      else if (result !== Z_OK && !this.#isStarved(before)) throw this.#damaged();
      else if (result !== Z_OK) break;
    }
    return bytes.length - stream.avail_in;
  }

  /** Whether zlib made no progress only because it had no input left. */
  #isStarved(availableBefore: number): boolean {
    return availableBefore === 0 && this.#stream.next_out === 0;
  }

  #damaged(): Error {
    return damagedData(
      this.#format === 'raw' ? 'deflate' : 'gzip',
      this.#stream.msg || 'no reason',
    );
  }
}

/** Decompresses a .gz file, which may consist of several gzip streams. */
export class GzipDecoder implements Codec {
  #stream: Inflater | undefined;

  push(bytes: Uint8Array, emit: (piece: Uint8Array) => void): void {
    for (let at = 0; at < bytes.length; ) {
      this.#stream ??= new Inflater('gzip');
      at += this.#stream.push(bytes.subarray(at), emit);
      if (this.#stream.ended) this.#stream = undefined;
    }
  }

  end(): void {
    if (this.#stream !== undefined) throw cutShort('gzip');
  }
}
