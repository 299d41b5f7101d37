/** Messages within the data of a gRPC stream: each follows five bytes, a flag and its length. */
import { STATUS } from '../../lib/common/call-errors.ts';
import { MESSAGE_BYTES_MAX } from '../../lib/proto/channel-options.ts';
import { CallError } from './call-error.ts';

const HEAD_BYTES = 5;

/** Returns the bytes to send for a message. */
export function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, HEAD_BYTES);
  return bytes;
}

/** Cuts received data into messages. */
export class MessageReader {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Bytes that complete the next message, or its head. */
  #needed = HEAD_BYTES;

  /** Whether the last message is incomplete. */
  get isWithinMessage(): boolean {
    return this.#bytes > 0;
  }

  /**
   * Yields the messages that this piece completes: views of it where possible.
   * @throws CallError if the data is no message that this client accepts
   */
  *add(piece: Buffer): Generator<Buffer> {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#needed) return;
    const all = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#bytes);
    let at = 0;
    this.#needed = HEAD_BYTES;
    while (all.length - at >= HEAD_BYTES) {
      this.#needed = HEAD_BYTES + lengthAt(all, at);
      if (all.length - at < this.#needed) break;
      yield all.subarray(at + HEAD_BYTES, at + this.#needed);
      at += this.#needed;
      this.#needed = HEAD_BYTES;
    }
    this.#bytes = all.length - at;
    this.#pieces = this.#bytes === 0 ? [] : [all.subarray(at)];
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  const flag = bytes[at] ?? 0;
  const length = bytes.readUInt32BE(at + 1);
  // The request names no compression that the client accepts.
  if (flag !== 0)
    throw new CallError(
      STATUS.INTERNAL,
      flag === 1 ? 'received a compressed message' : `received data that is no message (${flag})`,
    );
  if (length > MESSAGE_BYTES_MAX)
    throw new CallError(
      STATUS.RESOURCE_EXHAUSTED,
      `received a message of ${length} bytes, the bound is ${MESSAGE_BYTES_MAX}`,
    );
  return length;
}
