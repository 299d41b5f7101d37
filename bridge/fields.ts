/** Writing values as fields of ClickHouse's TSV, byte by byte. */
import { writeDigits } from './digits.ts';
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

/** Whether a byte surely stands for itself: quicker than a look into the table. */
function isPlain(byte: number): boolean {
  return byte > BACKSLASH || (byte > 0x0d && byte !== BACKSLASH);
}

function writeSpecial(buffer: Uint8Array, at: number, byte: number): number {
  const escaped = ESCAPED[byte] as number;
  if (escaped === 0) {
    buffer[at] = byte;
    return at + 1;
  }
  buffer[at] = BACKSLASH;
  buffer[at + 1] = escaped;
  return at + 2;
}

const SPECIALS = [TAB, NEWLINE, 0x0d, BACKSLASH];

/** Up to this length a loop over bytes is quicker than native calls. */
const SHORT_BYTES = 64;

/** Bytes of a blob that room is made for at a time: each may need two. */
const PIECE_BYTES = 16 * 1024;

/** Room that a number, a NULL and the separator after it need at most. */
export const NUMBER_BYTES = 32;

/** An int64 as its encoding gives it: sign, and the magnitude as two 32-bit words (signed, as `|0` makes). */
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
      this.low = -low | 0;
      this.high = (low === 0 ? -high : ~high) | 0;
    } else {
      this.low = low;
      this.high = high;
    }
  }

  /** The value as a number; exact where `safe`. */
  get number(): number {
    const magnitude = (this.high >>> 0) * 2 ** 32 + (this.low >>> 0);
    return this.negative ? -magnitude : magnitude;
  }

  get safe(): boolean {
    return this.high >>> 0 < 2 ** 21;
  }

  get bigint(): bigint {
    const magnitude = (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0);
    return this.negative ? -magnitude : magnitude;
  }
}

export function writeInt64(output: Output, value: Int64): void {
  const { view } = output;
  let { at } = output;
  if (value.negative) view.setUint8(at++, MINUS);
  output.at = writeDigits(view, at, value.high, value.low);
}

/** The shortest text that reads back as the same double; `inf`, `nan` and -0 as ClickHouse has them. */
export function doubleText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

export function writeDouble(output: Output, value: number): void {
  const { view, at } = output;
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    if (value < 0) view.setUint8(at, MINUS);
    const magnitude = Math.abs(value);
    const high = Math.floor(magnitude / 2 ** 32);
    output.at = writeDigits(view, value < 0 ? at + 1 : at, high, magnitude | 0);
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
  bytes: Buffer,
  from: number,
  specials: Specials,
  spare: number,
): number {
  const { to } = specials;
  let at = from;
  let end = -1;
  for (;;) {
    const pieceTo = Math.min(to, at + SHORT_BYTES);
    output.reserve(SHORT_BYTES * 2 + spare);
    const { buffer } = output;
    let out = output.at;
    while (at < pieceTo) {
      const byte = bytes[at++] as number;
      if (isPlain(byte)) {
        buffer[out++] = byte;
      } else if (byte === 0) {
        output.at = out;
        return at;
      } else {
        out = writeSpecial(buffer, out, byte);
      }
    }
    output.at = out;
    // It is long: what needs no escaping is copied as a block.
    if (end < 0) end = bytes.indexOf(0, at);
    const plainTo = Math.min(end, specials.next(at));
    if (plainTo - at < SHORT_BYTES) continue;
    output.reserve(plainTo - at + spare);
    output.at += bytes.copy(output.buffer, output.at, at, plainTo);
    at = plainTo;
  }
}

/** Where the next byte stands that needs escaping: found by native search, and remembered. */
export class Specials {
  /** End of the texts. */
  readonly to: number;
  readonly #bytes: Buffer;
  readonly #found = SPECIALS.map(() => -1);

  constructor(bytes: Buffer, to: number) {
    this.#bytes = bytes.subarray(0, to);
    this.to = to;
  }

  next(at: number): number {
    let nearest = this.to;
    for (let index = 0; index < SPECIALS.length; index++) {
      let found = this.#found[index] as number;
      if (found < at) {
        found = this.#bytes.indexOf(SPECIALS[index] as number, at);
        if (found < 0) found = this.to;
        this.#found[index] = found;
      }
      if (found < nearest) nearest = found;
    }
    return nearest;
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
      const byte = bytes[at++] as number;
      if (isPlain(byte)) buffer[out++] = byte;
      else out = writeSpecial(buffer, out, byte);
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
