/**
 * The primed start: a trace in Perfetto's own format begins in an instance that has its first byte already, and so the
 * parsers of that format, which take longer to create than a small trace takes to parse. The engine guesses the format
 * from the first bytes that it receives; so a trace is primed only if the engine is certain to guess this format.
 */
import { beginsLikeText, PACKET_TAG } from './first-bytes.ts';

/** Wire types of fields. */
const VARINT = 0;
const BYTES = 2;

/**
 * Fields of a packet, each with its wire type, with which recorders begin the first packet of a trace. Other files that
 * begin with PACKET_TAG begin with other fields: symbols (61), deobfuscation (64), profiles of pprof (1 and 2 as varints).
 */
const FIRST_FIELDS: ReadonlyMap<number, number> = new Map([
  ...[1, 2, 5, 6, 9, 11, 12, 33, 36, 45, 50, 59, 60, 69, 89].map(
    (field) => [field, BYTES] as const,
  ),
  ...[3, 8, 10, 13, 41, 42, 58, 87, 98].map((field) => [field, VARINT] as const),
]);

const TAR_MAGIC_AT = 257;

/**
 * Whether the engine takes a trace for Perfetto's own format if `first` are the first bytes that it receives. If that is not
 * certain, the answer is no.
 */
export function isSurelyPackets(first: Uint8Array): boolean {
  if (first[0] !== PACKET_TAG || !beginsWithField(first)) return false;
  const bytes = Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  const isTar = bytes.toString('latin1', TAR_MAGIC_AT, TAR_MAGIC_AT + 5) === 'ustar';
  return !isTar && !beginsLikeText(bytes) && !beginsWithStacks(bytes);
}

/** Whether the first packet begins with one of FIRST_FIELDS. */
function beginsWithField(first: Uint8Array): boolean {
  const at = afterVarint(first, 1);
  const end = afterVarint(first, at);
  const isEmpty = first[1] === 0;
  if (isEmpty || end > first.length || end - at > 2) return false;
  const [low = 0, high = 0] = first.subarray(at, end);
  const tag = (low & 0x7f) + high * 128;
  return FIRST_FIELDS.get(tag >> 3) === (tag & 7);
}

/** Returns the offset after the varint at `at`; past the end of `bytes` if it is incomplete. */
function afterVarint(bytes: Uint8Array, at: number): number {
  let end = at;
  while ((bytes[end] ?? 0) >= 0x80) end++;
  return end + 1;
}

/**
 * Whether the first line that is not blank has frames and, at its end, a count, as in collapsed stacks. The engine accepts
 * any other bytes in such a line.
 */
function beginsWithStacks(bytes: Buffer): boolean {
  let from = bytes.findIndex((byte) => !isSpace(byte));
  if (from < 0) from = bytes.length;
  const lineFeed = bytes.indexOf(LINE_FEED, from);
  let end = lineFeed < 0 ? bytes.length : lineFeed;
  while (end > from && isSpace(bytes[end - 1])) end--;
  let count = end;
  while (count > from && isDigit(bytes[count - 1])) count--;
  const stack = bytes.subarray(from, Math.max(from, count - 1));
  return count < end && bytes[count - 1] === SPACE && stack.includes(SEMICOLON);
}

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const SEMICOLON = 0x3b;

function isSpace(byte = 0): boolean {
  return byte === SPACE || (byte >= 9 && byte <= 13);
}

function isDigit(byte = 0): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
