/** Reads the headers of a tar file: ustar, GNU and pax. */
import { damagedData } from './damage.ts';

export const TAR_BLOCK_BYTES = 512;
const CHECKSUM_AT = 148;
const MAGIC_AT = 257;
/** Bound of a long name, and of the attributes that precede a member. */
const ATTRIBUTES_BYTES_MAX = 2 ** 20;

const OTHER: Record<string, string> = {
  '1': 'it is a link',
  '2': 'it is a symbolic link',
  '3': 'it is a device',
  '4': 'it is a device',
  '6': 'it is a pipe',
  S: 'it is a sparse file',
};
const FILES = new Set(['0', '\0', '7']);
const DIRECTORY = '5';
const ATTRIBUTES = new Set(['L', 'x']);
/** Attributes of the whole archive, and the target of a link. */
const IGNORED = new Set(['g', 'K']);

/** What follows a header: a file, something that is no file, attributes of the next member, or nothing of interest. */
export type TarMemberKind = 'file' | 'directory' | 'other' | 'attributes' | 'ignored';

/** Whether the block is a header. */
export function isTarHeader(block: Buffer): boolean {
  return block.toString('latin1', MAGIC_AT, MAGIC_AT + 5) === 'ustar';
}

/** @throws BigtraceError trace_invalid */
export function checkTarHeader(header: Buffer): void {
  if (!isTarHeader(header)) throw damagedData('tar', 'a member has no header');
  const stated = Number.parseInt(header.toString('latin1', CHECKSUM_AT, CHECKSUM_AT + 8), 8);
  let sum = 8 * 0x20;
  for (const [at, byte] of header.entries())
    if (at < CHECKSUM_AT || at >= CHECKSUM_AT + 8) sum += byte;
  if (sum !== stated) throw damagedData('tar', 'the checksum of a header does not match');
}

export function tarTypeIn(header: Buffer): string {
  return header.toString('latin1', 156, 157);
}

export function tarMemberKind(type: string): TarMemberKind {
  if (FILES.has(type)) return 'file';
  if (type === DIRECTORY) return 'directory';
  if (ATTRIBUTES.has(type)) return 'attributes';
  return IGNORED.has(type) ? 'ignored' : 'other';
}

/** Returns what a member is that is neither a file nor a directory. */
export function describeTarType(type: string): string {
  return OTHER[type] ?? `it has the unknown type ${JSON.stringify(type)}`;
}

/** Reads a size: octal digits, or, with the highest bit set, a binary number. */
export function tarSizeIn(header: Buffer): number {
  if ((header[124] ?? 0) >= 0x80) {
    let size = (header[124] ?? 0) & 0x7f;
    for (const byte of header.subarray(125, 136)) size = size * 256 + byte;
    return checkedSize(size);
  }
  const digits = untilZero(header.subarray(124, 136)).toString('latin1').trim();
  return checkedSize(/^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN);
}

/** Returns the bytes that fill the last block of content. */
export function tarPadding(bytes: number): number {
  return (TAR_BLOCK_BYTES - (bytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

export function tarNameIn(header: Buffer): Buffer {
  const name = untilZero(header.subarray(0, 100));
  const isPosix = header[MAGIC_AT + 5] === 0;
  const prefix = isPosix ? untilZero(header.subarray(345, 500)) : Buffer.alloc(0);
  return prefix.length === 0 ? Buffer.from(name) : Buffer.concat([prefix, Buffer.from('/'), name]);
}

/** What attributes state about the next member. */
export interface TarAttributes {
  name?: Buffer;
  bytes?: number;
}

/** @throws BigtraceError trace_invalid if attributes of this length are not read */
export function checkTarAttributes(bytes: number): void {
  if (bytes > ATTRIBUTES_BYTES_MAX)
    throw damagedData('tar', `the attributes of a member have ${bytes} bytes`);
}

/** Reads a long name (type L), or the attributes `LENGTH NAME=VALUE\n` of pax (type x). */
export function tarAttributesIn(type: string, bytes: Buffer): TarAttributes {
  if (type === 'L') return { name: untilZero(bytes) };
  const found: TarAttributes = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const end = at + Number(bytes.toString('latin1', at, Math.max(at, space)));
    const equals = bytes.indexOf(0x3d, space);
    if (space < 0 || equals < 0 || !(end > equals && end <= bytes.length))
      throw damagedData('tar', 'the attributes of a member are malformed');
    const value = bytes.subarray(equals + 1, end - 1);
    const key = bytes.toString('latin1', space + 1, equals);
    if (key === 'path') found.name = Buffer.from(value);
    if (key === 'size') found.bytes = checkedSize(Number(value.toString('latin1')));
    at = end;
  }
  return found;
}

function checkedSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0)
    throw damagedData('tar', 'the size of a member is no number');
  return size;
}

export function untilZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
