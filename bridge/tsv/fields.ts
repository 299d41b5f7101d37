/** Writes values as fields of ClickHouse's TSV, byte by byte. */

import { doubleText } from '../../lib/common/text/double-text.ts';
import type { Int64 } from '../cells/int64.ts';
import type { Output } from '../output.ts';
import { writeDigits } from './digits.ts';

export const TAB = 0x09;
export const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const LETTER_N = 0x4e;

/** For each byte, the character that follows the backslash in its escape; 0 if the byte is not escaped. */
const ESCAPED = new Uint8Array(256);
ESCAPED[0x00] = 0x30;
ESCAPED[TAB] = 0x74;
ESCAPED[NEWLINE] = 0x6e;
ESCAPED[0x0d] = 0x72;
ESCAPED[BACKSLASH] = BACKSLASH;

/** Whether a byte certainly needs no escape. Faster than a table lookup. */
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

/** Up to this length a loop over bytes is faster than native calls. */
const SHORT_BYTES = 64;

/** Bytes of a blob that are written after one reserve. Each may need two bytes of output. */
const PIECE_BYTES = 16 * 1024;

/** The most bytes that a number or a NULL needs with the separator after it. */
export const NUMBER_BYTES = 32;

export function writeInt64(output: Output, value: Int64): void {
  const { view } = output;
  let { at } = output;
  if (value.negative) view.setUint8(at++, MINUS);
  output.at = writeDigits(view, at, value.high, value.low);
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
 * Writes the NUL-terminated text at `from`, escaped. There must be a NUL before `specials.to`. Leaves room for `spare`
 * more bytes in the output.
 */
export function writeText(
  output: Output,
  bytes: Buffer,
  from: number,
  specials: Specials,
  spare: number,
): void {
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
        return;
      } else {
        out = writeSpecial(buffer, out, byte);
      }
    }
    output.at = out;
    // A long text: copies the bytes up to the next escape as a block.
    if (end < 0) end = bytes.indexOf(0, at);
    const plainTo = Math.min(end, specials.next(at));
    if (plainTo - at < SHORT_BYTES) continue;
    output.reserve(plainTo - at + spare);
    output.at += bytes.copy(output.buffer, output.at, at, plainTo);
    at = plainTo;
  }
}

/** Finds the next byte that needs an escape, by native search. Remembers what it found. */
export class Specials {
  /** Offset of the end of the texts. */
  readonly to: number;
  readonly #bytes: Buffer;
  readonly #nextSpecial = SPECIALS.map(() => -1);

  constructor(bytes: Buffer, to: number) {
    this.#bytes = bytes.subarray(0, to);
    this.to = to;
  }

  next(at: number): number {
    let nearest = this.to;
    for (let index = 0; index < SPECIALS.length; index++) {
      let special = this.#nextSpecial[index] as number;
      if (special < at) {
        special = this.#bytes.indexOf(SPECIALS[index] as number, at);
        if (special < 0) special = this.to;
        this.#nextSpecial[index] = special;
      }
      if (special < nearest) nearest = special;
    }
    return nearest;
  }
}

/** Writes the bytes `[from, to)`, escaped. Leaves room for `spare` more bytes in the output. */
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

/** Returns the bytes, escaped. */
export function escapeBytes(bytes: Uint8Array): Buffer {
  const escaped: number[] = [];
  for (const byte of bytes) {
    const code = ESCAPED[byte] ?? 0;
    if (code === 0) escaped.push(byte);
    else escaped.push(BACKSLASH, code);
  }
  return Buffer.from(escaped);
}
