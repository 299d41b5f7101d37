/** What the first bytes of a file that does not load say it is. */
import { constants, inflateRawSync } from 'node:zlib';

/** As much of a trace as is kept to find out: enough to reach into an archive's first members. */
export const FIRST_BYTES_MAX = 2 ** 20;

interface Format {
  magic: readonly number[];
  name: string;
}

const COMPRESSED: readonly Format[] = [
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: 'zstd' },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], name: 'xz' },
  { magic: [0x42, 0x5a, 0x68], name: 'bzip2' },
  { magic: [0x04, 0x22, 0x4d, 0x18], name: 'lz4' },
  { magic: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], name: '7z' },
];

const OTHERS: readonly Format[] = [
  { magic: [0x7f, 0x45, 0x4c, 0x46], name: 'an ELF program or library' },
  { magic: [0x25, 0x50, 0x44, 0x46], name: 'a PDF document' },
  { magic: [0x89, 0x50, 0x4e, 0x47], name: 'a PNG image' },
  { magic: [0xff, 0xfe], name: 'UTF-16 text; save it as UTF-8' },
  { magic: [0xfe, 0xff], name: 'UTF-16 text; save it as UTF-8' },
  { magic: [0xef, 0xbb, 0xbf], name: 'text with a byte order mark; save it without one' },
];

const ZIP_MEMBER = [0x50, 0x4b, 0x03, 0x04];

/** Undefined where they say nothing that the engine has not said. */
export function describeFirstBytes(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length === 0) return undefined;
  if (begins(bytes, ZIP_MEMBER)) return describeZip(bytes);
  return describeFile(bytes);
}

function describeFile(bytes: Buffer): string | undefined {
  const packed = COMPRESSED.find(({ magic }) => begins(bytes, magic));
  if (packed !== undefined)
    return `it is ${packed.name} data; decompress it first (gzip is read as it is)`;
  const other = OTHERS.find(({ magic }) => begins(bytes, magic));
  if (other !== undefined) return `it is ${other.name}`;
  const start = bytes.subarray(0, 1024).toString('latin1').trimStart().toLowerCase();
  if (/^<(!doctype html|html|head)\b/.test(start)) return 'it is an HTML page';
  if (bytes.subarray(0, 4096).every((byte) => byte === 0)) return 'it begins with zeros';
  return undefined;
}

/** The first member that is no trace, as far as the bytes reach. */
function describeZip(bytes: Buffer): string | undefined {
  for (const { name, start } of zipMembers(bytes)) {
    const what = describeFile(start) ?? (looksLikeTrace(start) ? undefined : 'it is no trace');
    if (what !== undefined) return `its member ${JSON.stringify(name)}: ${what}`;
  }
  return undefined;
}

function looksLikeTrace(start: Buffer): boolean {
  if (start.length === 0) return false;
  const text = start.subarray(0, 512).toString('latin1');
  return (
    [0x0a, 0x10, 0x1f].includes(start[0] ?? 0) || // proto, Fuchsia, gzip
    begins(start, ZIP_MEMBER) ||
    text.startsWith('PERFILE2') ||
    /^\s*[[{]/.test(text) || // JSON
    /^\s*(# tracer|# ninja log|TRACE:|<\?xml|JAVA PROFILE|SLOW)/.test(text) ||
    /^\S.*\s\d+(\/\d+)?\s+.*:\s/.test(text) // perf script
  );
}

/** Members whose sizes stand in front of them, and the first bytes of each. */
function* zipMembers(bytes: Buffer): Generator<{ name: string; start: Buffer }> {
  for (let at = 0; at + 30 <= bytes.length && begins(bytes.subarray(at), ZIP_MEMBER); ) {
    const [flags, method] = [bytes.readUInt16LE(at + 6), bytes.readUInt16LE(at + 8)];
    const size = bytes.readUInt32LE(at + 18);
    const nameEnd = at + 30 + bytes.readUInt16LE(at + 26);
    const from = nameEnd + bytes.readUInt16LE(at + 28);
    const name = bytes.subarray(at + 30, nameEnd).toString('utf8');
    const sizeFollows = (flags & 8) !== 0;
    const data = bytes.subarray(from, sizeFollows ? bytes.length : from + size);
    if (!name.endsWith('/')) yield { name, start: unpacked(data, method) };
    if (sizeFollows) return;
    at = from + size;
  }
}

/** The first bytes of a member; empty where they cannot be unpacked. */
function unpacked(data: Buffer, method: number): Buffer {
  if (method === 0) return data.subarray(0, 4096);
  if (method !== 8) return Buffer.alloc(0);
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 ** 20 };
    return inflateRawSync(data.subarray(0, 1024), options).subarray(0, 4096);
  } catch {
    return Buffer.alloc(0);
  }
}

function begins(bytes: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, at) => bytes[at] === byte);
}
