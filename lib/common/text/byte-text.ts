/**
 * Converts bytes (file names, SQL) to a string and back without loss: valid UTF-8 is decoded, and every other byte
 * becomes one lone surrogate U+DC80 to U+DCFF, as in Python's "surrogateescape" (PEP 383).
 */
import { isUtf8 } from 'node:buffer';

const ESCAPE_BASE = 0xdc00;

/** Length in bytes of the valid UTF-8 sequence at `at`, or 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  const length =
    lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  return length > 0 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length))
    ? length
    : 0;
}

export function textFromBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(bytes)) return buffer.toString('utf8');
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) text += String.fromCharCode(ESCAPE_BASE + (bytes[at] ?? 0));
    else text += buffer.toString('utf8', at, at + length);
    at += Math.max(length, 1);
  }
  return text;
}

/** Returns the text of bytes in hex, in which ClickHouse's JSON keeps those that are not UTF-8. */
export function textFromHex(hex: string | null | undefined): string {
  return textFromBytes(Buffer.from(hex ?? '', 'hex'));
}

export function bytesFromText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  let plainFrom = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    const paired = at > 0 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
    if (paired || unit < 0xdc80 || unit > 0xdcff) continue;
    parts.push(Buffer.from(text.slice(plainFrom, at), 'utf8'), Buffer.of(unit - ESCAPE_BASE));
    plainFrom = at + 1;
  }
  parts.push(Buffer.from(text.slice(plainFrom), 'utf8'));
  return Buffer.concat(parts);
}

/** Formats text as one line for messages and logs: control characters and bytes that are not UTF-8 become `\xff`. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
  return text.replace(/[\u0000-\u001f\u007f]|[\udc80-\udcff]/gu, (char) => {
    const code = char.charCodeAt(0);
    return `\\x${(code > 0xff ? code - ESCAPE_BASE : code).toString(16).padStart(2, '0')}`;
  });
}
