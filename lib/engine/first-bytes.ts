/** Describes a file that the engine cannot load, by its first bytes, for the error message. */
import { constants, gunzipSync, inflateRawSync } from 'node:zlib';
import { printable } from '../common/text/byte-text.ts';

/** Bytes of a trace that are kept for the description: enough to reach the first members of an archive. */
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
  { magic: [0xff, 0x06, 0x00, 0x00, 0x73, 0x4e], name: 'Snappy' },
  { magic: [0x4c, 0x5a, 0x49, 0x50], name: 'lzip' },
  { magic: [0x89, 0x4c, 0x5a, 0x4f], name: 'lzop' },
  { magic: [0x1f, 0x9d], name: 'compress (.Z)' },
  { magic: [0x52, 0x61, 0x72, 0x21], name: 'RAR' },
  { magic: [0x78, 0x01], name: 'zlib' },
  { magic: [0x78, 0x9c], name: 'zlib' },
  { magic: [0x78, 0xda], name: 'zlib' },
];

const OTHERS: readonly Format[] = [
  { magic: [0x7f, 0x45, 0x4c, 0x46], name: 'an ELF program or library' },
  { magic: [0x25, 0x50, 0x44, 0x46], name: 'a PDF document' },
  { magic: [0x89, 0x50, 0x4e, 0x47], name: 'a PNG image' },
  { magic: [0xff, 0xd8, 0xff], name: 'a JPEG image' },
  { magic: [...Buffer.from('GIF8')], name: 'a GIF image' },
  { magic: [...Buffer.from('PAR1')], name: 'a Parquet file' },
  { magic: [...Buffer.from('ARROW1')], name: 'an Arrow file' },
  { magic: [0x00, 0x61, 0x73, 0x6d], name: 'a WebAssembly module' },
  { magic: [0xc1, 0x1f, 0xfc, 0xc1], name: 'a stream of a CTF trace (LTTng)' },
  { magic: [0xd4, 0xc3, 0xb2, 0xa1], name: 'a capture of network packets (pcap)' },
  { magic: [0x0a, 0x0d, 0x0d, 0x0a], name: 'a capture of network packets (pcapng)' },
  { magic: [0x46, 0x4c, 0x52, 0x00], name: 'a recording of Java Flight Recorder' },
  { magic: [...Buffer.from('SQLite format 3')], name: 'an SQLite database' },
  {
    magic: [...Buffer.from('version https://git-lfs')],
    name: 'a pointer of Git LFS: run git lfs pull',
  },
  { magic: [0x50, 0x4b, 0x05, 0x06], name: 'a zip without members' },
  { magic: [0xff, 0xfe, 0x00, 0x00], name: 'UTF-32 text; save it as UTF-8' },
  { magic: [0xff, 0xfe], name: 'UTF-16 text; save it as UTF-8' },
  { magic: [0xfe, 0xff], name: 'UTF-16 text; save it as UTF-8' },
  { magic: [0xef, 0xbb, 0xbf], name: 'text with a byte order mark; save it without one' },
];

const ZIP_MEMBER = [0x50, 0x4b, 0x03, 0x04];
const GZIP = [0x1f, 0x8b];
/** The first byte of a trace in Perfetto's own format. */
export const PACKET_TAG = 0x0a;
const TAR_BLOCK = 512;
/** Compressed bytes that are unpacked. Deflate expands at most 1,032 times, so the output is less than 1 MiB. */
const PACKED_BYTES_MAX = 1000;
const TEXT_BYTES_MAX = 60;

interface Member {
  name: string;
  start: Buffer;
}

/** Describes a file by its first bytes. @returns undefined when they give no clue */
export function describeFirstBytes(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length === 0) return undefined;
  if (begins(bytes, GZIP)) {
    const what = describeArchive(unpacked(bytes, gunzipSync));
    return what === undefined ? undefined : `within gzip, ${what}`;
  }
  return describeArchive(bytes) ?? describeFile(bytes);
}

/** Describes the first member of a zip or tar that is no trace, among those that `bytes` reaches. */
function describeArchive(bytes: Buffer): string | undefined {
  const members = begins(bytes, ZIP_MEMBER) ? zipMembers(bytes) : tarMembers(bytes);
  for (const { name, start } of members) {
    const what = describeFile(start) ?? (looksLikeTrace(start) ? undefined : 'it is not a trace');
    if (what !== undefined) return `its member ${JSON.stringify(name)}: ${what}`;
  }
  return undefined;
}

function describeFile(bytes: Buffer): string | undefined {
  const packed = COMPRESSED.find(({ magic }) => begins(bytes, magic));
  if (packed !== undefined)
    return `it is ${packed.name} data; decompress it first (gzip is read as it is)`;
  const other = OTHERS.find(({ magic }) => begins(bytes, magic));
  if (other !== undefined) return `it is ${other.name}`;
  const start = bytes.subarray(0, 1024).toString('latin1').trimStart().toLowerCase();
  if (/^<(!doctype html|html|head)\b/.test(start)) return 'it is an HTML page';
  if (start.startsWith('<?xml')) return `it is an XML document${codeOf(bytes)}`;
  if (/^go 1\.\d+ trace\0/.test(start)) return 'it is a trace of the Go runtime';
  if (bytes.length > 0 && bytes.subarray(0, 4096).every((byte) => byte === 0))
    return 'it begins with zeros';
  return undefined;
}

/** Quotes the first line of a text. @returns undefined for data that is not text */
export function describeText(head: Uint8Array): string | undefined {
  const start = Buffer.from(head.subarray(0, TEXT_BYTES_MAX)).toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters mark binary data
  if (head.length < 2 || /[\x00-\x08\x0e-\x1f\x7f\ufffd]/.test(start.slice(0, -1)))
    return undefined;
  const [line = ''] = start.trimStart().split(/[\r\n]/);
  return line === ''
    ? 'it is blank'
    : `it is text that begins with ${JSON.stringify(printable(line))}`;
}

/**
 * Whether the engine may take a file with this beginning for a trace. In doubt it says so: the formats differ between
 * versions of the engine.
 */
export function looksLikeTrace(start: Buffer): boolean {
  if (start.length === 0) return false;
  const text = start.subarray(0, 1024).toString('latin1');
  return (
    [PACKET_TAG, 0x10, 0x1f].includes(start[0] ?? 0) || // proto, Fuchsia, gzip
    begins(start, ZIP_MEMBER) ||
    /^(PERFILE2|JAVA PROFILE|SLOW|\*version\n| )/.test(text) ||
    /^\s*<\?xml/i.test(text) ||
    textFormat(start) !== undefined ||
    isLines(text)
  );
}

/**
 * Returns the format of a text that the engine takes for a trace; undefined for other files. The text parts of a file
 * with binary data, such as a compressed atrace, are no lines.
 */
export function textFormat(start: Buffer): 'json' | 'html' | 'lines' | undefined {
  const text = start.subarray(0, 1024).toString('latin1');
  if (/^\s*(\{\s*"|\[\s*\{\s*")/.test(text)) return 'json';
  if (/^\s*<(!doctype html|html)/i.test(text)) return 'html';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters mark binary data
  return isLines(text) && !/[\x00-\x08\x0e-\x1f]/.test(text) ? 'lines' : undefined;
}

/** Whether a file begins like a text that the engine takes for a trace, even if binary data are among it. */
export function beginsLikeText(start: Buffer): boolean {
  return textFormat(start) !== undefined || isLines(start.subarray(0, 1024).toString('latin1'));
}

function isLines(text: string): boolean {
  return (
    /^(9,0,i,vers,|# ninja log)/.test(text) ||
    /# tracer|TRACE:\n/.test(text) || // systrace
    /^(\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}|^--------- beginning of/m.test(text) || // logcat
    /^== dumpstate: /m.test(text) ||
    /^\s*\S.*\s\d+(\/\d+)?\s+(\[\d+\]\s+)?\d+\.\d+:\s/m.test(text) || // perf script
    /^\S+(;\S+)+ \d+$/m.test(text) // collapsed stacks
  );
}

/** The kinds of files that differ in the memory that a loaded trace takes for each of its bytes. */
export type FileFamily = 'packets' | 'compressed' | 'other';

/** Returns the kind of a file with this beginning. */
export function familyOf(head: Uint8Array): FileFamily {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes[0] === PACKET_TAG) return 'packets';
  const packed = [GZIP, ZIP_MEMBER, ...COMPRESSED.map(({ magic }) => magic)];
  return packed.some((magic) => begins(bytes, magic)) ? 'compressed' : 'other';
}

/** Returns the error code in the XML error of an object store, as ` that says CODE`; empty when there is none. */
function codeOf(xml: Buffer): string {
  const code = /<Code>([A-Za-z]{1,60})<\/Code>/.exec(xml.toString('latin1', 0, 1024))?.[1];
  return code === undefined ? '' : ` that says ${code}`;
}

/** Yields the files of a tar with their first bytes; yields nothing when `bytes` is no tar. */
function* tarMembers(bytes: Buffer): Generator<Member> {
  for (let at = 0; bytes.toString('latin1', at + 257, at + 262) === 'ustar'; ) {
    const text = (from: number, to: number): string =>
      bytes.toString('utf8', at + from, at + to).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 136), 8);
    if (!(size >= 0)) return;
    const from = at + TAR_BLOCK;
    const isFile = ['0', ''].includes(text(156, 157));
    if (isFile && from <= bytes.length)
      yield { name: text(0, 100), start: bytes.subarray(from, from + Math.min(size, 4096)) };
    at = from + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
}

/** Yields the members of a zip with their first bytes, up to the first one whose size follows its data. */
function* zipMembers(bytes: Buffer): Generator<Member> {
  for (let at = 0; at + 30 <= bytes.length && begins(bytes.subarray(at), ZIP_MEMBER); ) {
    const [flags, method] = [bytes.readUInt16LE(at + 6), bytes.readUInt16LE(at + 8)];
    const size = bytes.readUInt32LE(at + 18);
    const nameEnd = at + 30 + bytes.readUInt16LE(at + 26);
    const from = nameEnd + bytes.readUInt16LE(at + 28);
    const name = bytes.subarray(at + 30, nameEnd).toString('utf8');
    const sizeFollows = (flags & 8) !== 0;
    const data = bytes.subarray(from, sizeFollows ? bytes.length : from + size);
    if (!name.endsWith('/')) yield { name, start: memberStart(data, method) };
    if (sizeFollows) return;
    at = from + size;
  }
}

/** Returns the first bytes of a member, up to 4,096; none when they cannot be unpacked. */
function memberStart(data: Buffer, method: number): Buffer {
  if (method === 0) return data.subarray(0, 4096);
  if (method !== 8) return Buffer.alloc(0);
  return unpacked(data.subarray(0, 1024), inflateRawSync).subarray(0, 4096);
}

function unpacked(data: Buffer, unpack: typeof gunzipSync): Buffer {
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 ** 20 };
    return unpack(data.subarray(0, PACKED_BYTES_MAX), options);
  } catch {
    return Buffer.alloc(0);
  }
}

function begins(bytes: Buffer, magic: readonly number[]): boolean {
  return magic.every((byte, at) => bytes[at] === byte);
}
