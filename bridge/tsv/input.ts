/** Reads the TSV (TabSeparated) that ClickHouse writes: fields as bytes, and arrays of strings. */
import { BigtraceError } from '../../lib/common/errors.ts';

const TAB = 0x09;
const NEWLINE = 0x0a;
const QUOTE = 0x27;
const COMMA = 0x2c;
const OPEN = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE = 0x5d;

/** Maps the byte after a backslash to the byte that the escape stands for. Any other byte stands for itself. */
const UNESCAPED = new Map([
  [0x30, 0x00],
  [0x61, 0x07],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, NEWLINE],
  [0x72, 0x0d],
  [0x74, TAB],
  [0x76, 0x0b],
]);

/** Returns the fields of one line (without its newline), still escaped. */
export function fieldsOf(line: Uint8Array): Uint8Array[] {
  const fields: Uint8Array[] = [];
  let from = 0;
  for (;;) {
    const tab = line.indexOf(TAB, from);
    if (tab < 0) break;
    fields.push(line.subarray(from, tab));
    from = tab + 1;
  }
  fields.push(line.subarray(from));
  return fields;
}

/** Returns the bytes that an escaped text stands for. */
export function unescaped(text: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let byte = text[at] ?? 0;
    if (byte === BACKSLASH) {
      at++;
      byte = text[at] ?? BACKSLASH;
      byte = UNESCAPED.get(byte) ?? byte;
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

/** Returns the elements of an `Array(String)`: `['a','b\'c']`. @throws internal if the field is not one */
export function stringsOf(field: Uint8Array): Buffer[] {
  const strings: Buffer[] = [];
  let at = 0;
  const take = (byte: number): boolean => field[at] === byte && ++at > 0;
  if (!take(OPEN)) throw notAnArray();
  if (take(CLOSE) && at === field.length) return strings;
  for (;;) {
    if (!take(QUOTE)) throw notAnArray();
    const from = at;
    while (at < field.length && field[at] !== QUOTE) at += field[at] === BACKSLASH ? 2 : 1;
    strings.push(unescaped(field.subarray(from, Math.min(at, field.length))));
    if (!take(QUOTE)) throw notAnArray();
    if (take(COMMA)) continue;
    if (take(CLOSE) && at === field.length) return strings;
    throw notAnArray();
  }
}

function notAnArray(): BigtraceError {
  return new BigtraceError('internal', 'malformed request: traces is not an Array(String) in TSV');
}

/**
 * Splits a stream of bytes into lines, and yields those that each chunk completes. The last line may lack a newline.
 * @throws limit_exceeded if a line is longer than `lineBytesMax`
 */
export async function* linesOf(
  input: AsyncIterable<Uint8Array>,
  lineBytesMax: number,
): AsyncGenerator<Uint8Array[]> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of input) {
    const lines: Uint8Array[] = [];
    let from = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, from);
      if (newline < 0) break;
      const end = chunk.subarray(from, newline);
      lines.push(pending.length === 0 ? end : Buffer.concat([...pending, end]));
      pending = [];
      pendingBytes = 0;
      from = newline + 1;
    }
    if (from < chunk.length) pending.push(chunk.subarray(from));
    pendingBytes += chunk.length - from;
    if (pendingBytes > lineBytesMax)
      throw new BigtraceError(
        'limit_exceeded',
        `a row of the request is longer than ${lineBytesMax} bytes`,
      );
    if (lines.length > 0) yield lines;
  }
  if (pending.length > 0) yield [Buffer.concat(pending)];
}
