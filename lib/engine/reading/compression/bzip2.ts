/**
 * Decompresses .bz2 files block by block, with the decoder of the package `unbzip2-stream`. (The package's own stream
 * stores each byte of a block as a number.)
 */
import type { BitReader } from 'unbzip2-stream/lib/bit_iterator.js';
import { cutShort, damagedData } from '../../../common/archive/damage.ts';
import type { Codec } from './codec.ts';
import { loadBitIterator, loadBzip2 } from './packages.ts';

const LEVEL_BYTES = 100_000;
/** Input that a block may need beyond its level: tables, and codes longer than the bytes they encode. */
const BLOCK_SLACK_BYTES = 25_000;
const OUTPUT_BYTES = 64 * 1024;
const HEADER_BYTES = 4;

export class Bzip2Decoder implements Codec {
  readonly #bzip2 = loadBzip2();
  readonly #input: Uint8Array[] = [];
  #inputBytes = 0;
  #bits: BitReader | undefined;
  /** Level of the stream that is being read, 1 to 9; 0 between streams. */
  #level = 0;
  #checksum = 0;
  readonly #output = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  /** Of the largest block so far. A file of 1 MiB may have 70,000 streams, so they share it. */
  #block = new Int32Array(0);

  push(bytes: Uint8Array, emit: (piece: Uint8Array) => void): void {
    this.#input.push(new Uint8Array(bytes)); // a Buffer’s `slice` would be a view
    this.#inputBytes += bytes.length;
    while (this.#unread >= this.#stepBytes) this.#step(emit);
  }

  end(emit: (piece: Uint8Array) => void): void {
    while (this.#unread > 0 && !(this.#level === 0 && this.#unread < HEADER_BYTES))
      this.#step(emit);
    if (this.#level !== 0) throw cutShort('bzip2');
  }

  get #unread(): number {
    return this.#inputBytes - (this.#bits?.bytesRead ?? 0);
  }

  /** Unread bytes with which the next step cannot run out of input. */
  get #stepBytes(): number {
    return this.#level === 0 ? HEADER_BYTES : this.#level * LEVEL_BYTES + BLOCK_SLACK_BYTES;
  }

  /** Reads the header of a stream, a block, or the end of a stream. */
  #step(emit: (piece: Uint8Array) => void): void {
    this.#bits ??= loadBitIterator()(() => {
      const next = this.#input.shift();
      if (next === undefined) throw cutShort('bzip2');
      return next;
    });
    try {
      if (this.#level === 0) {
        this.#level = this.#bzip2.header(this.#bits);
        this.#checksum = 0;
      } else this.#readBlock(this.#bits, emit);
    } catch (thrown) {
      if (thrown instanceof Error && thrown.name === 'Bzip2Error')
        throw damagedData('bzip2', thrown.message);
      throw thrown;
    }
  }

  #readBlock(bits: BitReader, emit: (piece: Uint8Array) => void): void {
    const size = this.#level * LEVEL_BYTES;
    let length = 0;
    const take = (byte: number): void => {
      this.#output[length++] = byte;
      if (length < OUTPUT_BYTES) return;
      length = 0;
      emit(this.#output);
    };
    if (this.#block.length < size) this.#block = new Int32Array(size);
    const checksum = this.#bzip2.decompress(bits, take, this.#block, size, this.#checksum);
    if (length > 0) emit(this.#output.subarray(0, length));
    if (checksum === null) this.#level = 0;
    else this.#checksum = checksum;
  }
}
