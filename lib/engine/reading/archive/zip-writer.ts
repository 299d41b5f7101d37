/**
 * Writes members into a zip file that TraceProcessor reads: their sizes follow their data, so no member has to be in
 * memory. They are compressed, because TraceProcessor keeps an archive in its memory until it has all of it.
 */
import { constants, crc32, deflateRawSync } from 'node:zlib';
import { BigtraceError } from '../../../common/errors.ts';
import { PieceBuffer } from '../piece-buffer.ts';
import type { Sink } from '../stage.ts';
import type { MemberHead } from './members.ts';

/** A final deflate block without content. Each block before it ends at a byte, so pieces can be compressed alone. */
const LAST_BLOCK = Buffer.of(3, 0);
const MEMBER_BYTES_MAX = 2 ** 32 - 1;
const NAME_BYTES_MAX = 2 ** 16 - 1;

export class ZipWriter {
  readonly #output: Sink;

  constructor(output: Sink) {
    this.#output = output;
  }

  /** Returns the stage that writes a member. A member without content is not written. */
  member(head: MemberHead): Sink {
    return new MemberWriter(this.#output, head);
  }

  end(): void {
    this.#output.end();
  }
}

class MemberWriter implements Sink {
  readonly #output: Sink;
  readonly #head: MemberHead;
  readonly #pieces = new PieceBuffer((piece) => this.#write(piece));
  #begun = false;
  #bytes = 0;
  #packedBytes = 0;
  #checksum = 0;

  constructor(output: Sink, head: MemberHead) {
    this.#output = output;
    this.#head = head;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#pieces.push(bytes);
  }

  end(): void {
    this.#pieces.end();
    if (!this.#begun) return;
    this.#pass(LAST_BLOCK);
    const descriptor = Buffer.from('504b0708'.padEnd(32, '0'), 'hex');
    descriptor.writeUInt32LE(this.#checksum, 4);
    descriptor.writeUInt32LE(this.#packedBytes, 8);
    descriptor.writeUInt32LE(this.#bytes, 12);
    this.#output.push(descriptor);
  }

  #write(piece: Uint8Array): void {
    if (!this.#begun) this.#output.push(header(this.#head));
    this.#begun = true;
    this.#bytes += piece.length;
    if (this.#bytes > MEMBER_BYTES_MAX)
      throw new BigtraceError(
        'limit_exceeded',
        `a member of the archive has more than ${MEMBER_BYTES_MAX} bytes, the bound; store it as a trace of its own`,
      );
    this.#checksum = crc32(piece, this.#checksum);
    this.#pass(deflateRawSync(piece, { level: 1, finishFlush: constants.Z_SYNC_FLUSH }));
  }

  #pass(packed: Buffer): void {
    this.#packedBytes += packed.length;
    this.#output.push(packed);
  }
}

function header(head: MemberHead): Buffer {
  const name = head.name.subarray(0, NAME_BYTES_MAX);
  const fixed = Buffer.from('504b0304140008000800'.padEnd(60, '0'), 'hex');
  fixed.writeUInt32LE(head.modified, 10);
  fixed.writeUInt16LE(name.length, 26);
  return Buffer.concat([fixed, name]);
}
