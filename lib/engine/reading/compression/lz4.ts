/** Decompresses .lz4 files: splits frames into blocks, each of which the package `lz4js` decompresses. */
import { cutShort, damagedData } from '../../../common/archive/damage.ts';
import type { Codec } from './codec.ts';
import { loadLz4 } from './packages.ts';
import { Xxh32 } from './xxh32.ts';

const MAGIC = 0x184d2204;
/** How far a block may refer back beyond its own beginning, in bytes. */
const WINDOW_BYTES = 64 * 1024;
const UNCOMPRESSED = 0x80000000;

interface Frame {
  blockMax: number;
  blockChecksums: boolean;
  checksum: Xxh32 | undefined;
  /** The window, followed by the current block. */
  buffer: Buffer;
  windowBytes: number;
}

export class Lz4Decoder implements Codec {
  readonly #lz4 = loadLz4();
  #pending: Buffer = Buffer.alloc(0);
  #frame: Frame | undefined;
  /** Of the largest frame so far. A file of 1 MiB may have 100,000 frames, so they share it. */
  #buffer: Buffer = Buffer.alloc(0);

  push(bytes: Uint8Array, emit: (piece: Uint8Array) => void): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    for (let read = -1; read !== 0; ) {
      read = this.#frame === undefined ? this.#header() : this.#block(this.#frame, emit);
      this.#pending = this.#pending.subarray(read);
    }
  }

  end(): void {
    if (this.#frame !== undefined || this.#pending.length > 0) throw cutShort('lz4');
  }

  /** Reads the header of a frame. @returns its length in bytes; 0 while it is incomplete */
  #header(): number {
    const pending = this.#pending;
    if (pending.length < 8) return 0;
    const magic = pending.readUInt32LE(0);
    if (magic >>> 4 === 0x184d2a5) return this.#skippable(pending);
    if (magic !== MAGIC) throw damagedData('lz4', 'a frame has another beginning');
    const flags = pending.readUInt8(4);
    const sizeCode = (pending.readUInt8(5) >> 4) & 7;
    if (flags >> 6 !== 1 || sizeCode < 4)
      throw damagedData('lz4', 'its header is of no version known');
    if ((flags & 1) !== 0) throw damagedData('lz4', 'it needs a dictionary');
    const headerBytes = (flags & 8) === 0 ? 7 : 15;
    if (pending.length < headerBytes) return 0;
    const blockMax = 2 ** (8 + 2 * sizeCode);
    const bufferBytes = WINDOW_BYTES + blockMax;
    if (this.#buffer.length < bufferBytes) this.#buffer = Buffer.alloc(bufferBytes);
    this.#frame = {
      blockMax,
      blockChecksums: (flags & 16) !== 0,
      checksum: (flags & 4) === 0 ? undefined : new Xxh32(),
      buffer: this.#buffer,
      windowBytes: 0,
    };
    return headerBytes;
  }

  #skippable(pending: Buffer): number {
    const length = 8 + pending.readUInt32LE(4);
    if (length > 2 ** 24) throw damagedData('lz4', 'a skippable frame has more than 16 MiB');
    return pending.length < length ? 0 : length;
  }

  /** Decompresses the next block, or reads the end of the frame. @returns its length; 0 while it is incomplete */
  #block(frame: Frame, emit: (piece: Uint8Array) => void): number {
    const pending = this.#pending;
    if (pending.length < 4) return 0;
    const word = pending.readUInt32LE(0);
    if (word === 0) return this.#frameEnd(frame);
    const length = (word & ~UNCOMPRESSED) >>> 0;
    if (length > frame.blockMax)
      throw damagedData('lz4', 'a block is longer than its frame allows');
    const end = 4 + length;
    const next = end + (frame.blockChecksums ? 4 : 0);
    if (pending.length < next) return 0;
    const block = pending.subarray(4, end);
    if (frame.blockChecksums) check(new Xxh32(), block, pending.readUInt32LE(end));
    const from = frame.windowBytes;
    let to = from + length;
    if (word >= UNCOMPRESSED) frame.buffer.set(block, from);
    else to = this.#lz4.decompressBlock(block, frame.buffer, 0, length, from);
    if (!(to >= from && to <= from + frame.blockMax))
      throw damagedData('lz4', 'a block is larger than its frame allows');
    const piece = frame.buffer.subarray(from, to);
    frame.checksum?.update(piece);
    if (piece.length > 0) emit(piece);
    const windowFrom = Math.max(0, to - WINDOW_BYTES);
    frame.buffer.copyWithin(0, windowFrom, to);
    frame.windowBytes = to - windowFrom;
    return next;
  }

  #frameEnd({ checksum }: Frame): number {
    const length = checksum === undefined ? 4 : 8;
    if (this.#pending.length < length) return 0;
    if (checksum !== undefined) check(checksum, Buffer.alloc(0), this.#pending.readUInt32LE(4));
    this.#frame = undefined;
    return length;
  }
}

function check(checksum: Xxh32, more: Uint8Array, expected: number): void {
  checksum.update(more);
  if (checksum.digest() !== expected) throw damagedData('lz4', 'a checksum does not match');
}
