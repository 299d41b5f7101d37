/** Reads protobuf's wire format strictly: malformed input throws a BigtraceError `internal`. */
import { BigtraceError } from '../common/errors.ts';

export const WIRE_VARINT = 0;
export const WIRE_FIXED64 = 1;
export const WIRE_BYTES = 2;
const WIRE_FIXED32 = 5;

export function malformed(what: string): BigtraceError {
  return new BigtraceError('internal', `malformed query result: ${what}`);
}

/** A cursor over the fields of a message in a buffer. `end` is the offset at which the message ends. */
export class WireReader {
  readonly buffer: Uint8Array;
  at: number;
  end: number;

  constructor(buffer: Uint8Array, at = 0, end = buffer.length) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  /** Reads a varint as an unsigned number; above 2^53 the value is rounded. */
  varint(): number {
    const { buffer } = this;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      if (this.at >= this.end) throw malformed('a varint is cut short');
      const byte = buffer[this.at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw malformed('a varint is longer than 10 bytes');
  }

  /** Reads a varint as an int64. */
  int64(): bigint {
    let low = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.at >= this.end) throw malformed('a varint is cut short');
      const byte = this.buffer[this.at++] ?? 0;
      low |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, low);
    }
    throw malformed('a varint is longer than 10 bytes');
  }

  /** Reads a length prefix. @returns the end of the bytes that follow, which is within the message */
  bytesEnd(): number {
    const end = this.varint() + this.at;
    if (end > this.end) throw malformed('a field is longer than its message');
    return end;
  }

  bytes(): Uint8Array {
    const end = this.bytesEnd();
    const bytes = this.buffer.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  /** Reads a length-delimited field as UTF-8; invalid bytes become U+FFFD. */
  text(): string {
    const { buffer, byteOffset, byteLength } = this.bytes();
    return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
  }

  skip(wireType: number): void {
    if (wireType === WIRE_VARINT) this.varint();
    else if (wireType === WIRE_BYTES) this.at = this.bytesEnd();
    else if (wireType === WIRE_FIXED64) this.at += 8;
    else if (wireType === WIRE_FIXED32) this.at += 4;
    else throw malformed(`unknown wire type ${wireType}`);
    if (this.at > this.end) throw malformed('a field is cut short');
  }
}

/**
 * Calls `read` for each field of a message. `read` must read a value with the method for the field's type in the
 * `.proto`; a field that it does not read is skipped.
 */
export function eachField(
  message: Uint8Array,
  read: (field: number, reader: WireReader) => void,
): void {
  const reader = new WireReader(message);
  while (reader.at < reader.end) {
    const tag = reader.varint();
    const { at } = reader;
    read(Math.floor(tag / 8), reader);
    if (reader.at === at) reader.skip(tag % 8);
  }
}
