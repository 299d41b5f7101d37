/** Writing values as fields of ClickHouse's TSV, byte by byte. */
import { writeDigits, writeDigits64 } from './digits.ts';
import type { Output } from './output.ts';

export const TAB = 0x09;
export const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const LETTER_N = 0x4e;

/** For each byte what stands after a backslash for it; 0 where it stands for itself. */
const ESCAPED = new Uint8Array(256);
ESCAPED[0x00] = 0x30;
ESCAPED[TAB] = 0x74;
ESCAPED[NEWLINE] = 0x6e;
ESCAPED[0x0d] = 0x72;
ESCAPED[BACKSLASH] = BACKSLASH;

/** Bytes that room is made for at a time: a text may hold only such as need two. */
const PIECE_BYTES = 16 * 1024;

/** Room that a number, a NULL and the separator after it need at most. */
export const NUMBER_BYTES = 32;

/** An int64 as its encoding gives it: sign, and the magnitude as two 32-bit words. */
export class Int64 {
  negative = false;
  high = 0;
  low = 0;

  /** Reads the varint at `at`; returns the position after it, or -1 where it does not end before `to`. */
  read(bytes: Uint8Array, from: number, to: number): number {
    const first = bytes[from] ?? 0;
    this.negative = false;
    this.high = 0;
    if (from < to && first < 0x80) {
      this.low = first;
      return from + 1;
    }
    let at = from;
    let byte = 0x80;
    let word = 0; // bits 0 to 27, then 28 to 55, then 56 to 63
    let low = 0;
    let middle = 0;
    for (let shift = 0; byte >= 0x80; shift += 7) {
      if (at >= to || shift === 70) return -1;
      byte = bytes[at++] ?? 0;
      if (shift === 28) {
        low = word;
        word = 0;
      } else if (shift === 56) {
        middle = word;
        word = 0;
      }
      word |= (byte & 0x7f) << (shift % 28);
    }
    const count = at - from;
    if (count <= 4) this.low = word;
    else if (count <= 8) this.#set((word >>> 4) | 0, low | (word << 28));
    else this.#set((middle >>> 4) | (word << 24), low | (middle << 28));
    return at;
  }

  #set(high: number, low: number): void {
    this.negative = high < 0;
    if (this.negative) {
      this.low = -low >>> 0;
      this.high = (low === 0 ? -high : ~high) >>> 0;
    } else {
      this.low = low >>> 0;
      this.high = high;
    }
  }

  /** The value as a number; exact where `safe`. */
  get number(): number {
    const magnitude = this.high * 2 ** 32 + this.low;
    return this.negative ? -magnitude : magnitude;
  }

  get safe(): boolean {
    return this.high < 2 ** 21;
  }

  get bigint(): bigint {
    const magnitude = (BigInt(this.high) << 32n) | BigInt(this.low);
    return this.negative ? -magnitude : magnitude;
  }
}

export function writeInt64(output: Output, value: Int64): void {
  const { buffer } = output;
  let { at } = output;
  if (value.negative) buffer[at++] = MINUS;
  output.at =
    value.high === 0
      ? writeDigits(buffer, at, value.low)
      : writeDigits64(buffer, at, value.high, value.low);
}

/** The shortest text that reads back as the same double; `inf`, `nan` and -0 as ClickHouse has them. */
export function doubleText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

export function writeDouble(output: Output, value: number): void {
  const { buffer, at } = output;
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    if (value < 0) buffer[at] = MINUS;
    output.at = writeDigits(buffer, value < 0 ? at + 1 : at, Math.abs(value));
  } else {
    writeAscii(output, doubleText(value));
  }
}

export function writeAscii(output: Output, text: string): void {
  const { buffer } = output;
  let { at } = output;
  for (let index = 0; index < text.length; index++) buffer[at++] = text.charCodeAt(index);
  output.at = at;
}

export function writeNull(output: Output): void {
  output.buffer[output.at++] = BACKSLASH;
  output.buffer[output.at++] = LETTER_N;
}

/**
 * Writes the NUL-terminated text at `from`, escaped; returns the position after its NUL. There is one
 * before `to`. `spare` bytes stay free in the output behind it.
 */
export function writeText(
  output: Output,
  bytes: Uint8Array,
  from: number,
  to: number,
  spare: number,
): number {
  let at = from;
  for (;;) {
    const pieceTo = Math.min(to, at + PIECE_BYTES);
    output.reserve((pieceTo - at) * 2 + spare);
    const { buffer } = output;
    let out = output.at;
    while (at < pieceTo) {
      const byte = bytes[at++] ?? 0;
      const escaped = ESCAPED[byte] ?? 0;
      if (escaped === 0) {
        buffer[out++] = byte;
      } else if (byte === 0) {
        output.at = out;
        return at;
      } else {
        buffer[out++] = BACKSLASH;
        buffer[out++] = escaped;
      }
    }
    output.at = out;
  }
}

/** Writes any bytes, escaped; `spare` bytes stay free in the output behind them. */
export function writeBytes(
  output: Output,
  bytes: Uint8Array,
  from: number,
  to: number,
  spare: number,
): void {
  for (let at = from; at < to; ) {
    const pieceTo = Math.min(to, at + PIECE_BYTES);
    output.reserve((pieceTo - at) * 2 + spare);
    const { buffer } = output;
    let out = output.at;
    while (at < pieceTo) {
      const byte = bytes[at++] ?? 0;
      const escaped = ESCAPED[byte] ?? 0;
      if (escaped !== 0) buffer[out++] = BACKSLASH;
      buffer[out++] = escaped === 0 ? byte : escaped;
    }
    output.at = out;
  }
}

/** The bytes, escaped, on their own. */
export function escapeBytes(bytes: Uint8Array): Buffer {
  const escaped: number[] = [];
  for (const byte of bytes) {
    const code = ESCAPED[byte] ?? 0;
    if (code === 0) escaped.push(byte);
    else escaped.push(BACKSLASH, code);
  }
  return Buffer.from(escaped);
}
