/** Finds the members of a zip file by the directory at its end, of which it reads nothing else. */
import { cutShort, damagedData } from '../../common/archive/damage.ts';
import { BigtraceError } from '../../common/errors.ts';
import { textFromBytes } from '../../common/text/byte-text.ts';
import { type Archive, rangeOf } from './archive-bytes.ts';
import { Directory, type Member } from './directory.ts';

const END = 0x06054b50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 0xffff;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const ZIP64_END = 0x06064b50;
const ZIP64_END_BYTES = 56;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
export const LOCAL_HEADER_BYTES = 30;
/** Stated where the number is in the extra field of zip64. */
const IN_ZIP64 = 0xffffffff;
const DIRECTORY_BYTES_MAX = 64 * 2 ** 20;

export const ZIP_METHOD = { STORED: 0, DEFLATE: 8, BZIP2: 12, ZSTD: 93, XZ: 95 } as const;
const READABLE = new Set<number>(Object.values(ZIP_METHOD));

/** @throws trace_invalid, limit_exceeded, store_failed */
export async function zipDirectory(archive: Archive): Promise<Directory> {
  const { size } = archive;
  if (size === undefined)
    throw new BigtraceError(
      'store_failed',
      'the store does not report the size of the archive, so its directory cannot be found; name the archive without a member',
    );
  const tailAt = Math.max(0, size - (END_BYTES + COMMENT_BYTES_MAX + LOCATOR_BYTES));
  const tail = await rangeOf(archive, tailAt, size - tailAt);
  const { at, bytes, count } = await directoryRange(archive, tail, tailAt);
  if (bytes > DIRECTORY_BYTES_MAX)
    throw new BigtraceError(
      'limit_exceeded',
      `the directory of the zip file has ${bytes} bytes, the bound is ${DIRECTORY_BYTES_MAX}`,
    );
  if (at + bytes > size) throw damagedData('zip', 'its directory is not where its end states');
  const isHeld = at >= tailAt && at + bytes <= tailAt + tail.length;
  const entries = isHeld
    ? tail.subarray(at - tailAt, at - tailAt + bytes)
    : await rangeOf(archive, at, bytes);
  return parsed(entries, { at, count });
}

interface DirectoryRange {
  /** Offset of the directory. */
  at: number;
  bytes: number;
  /** Number of members. */
  count: number;
}

/** Reads the end of the directory, which a comment may follow. */
async function directoryRange(
  archive: Archive,
  tail: Buffer,
  tailAt: number,
): Promise<DirectoryRange> {
  let end = tail.length - END_BYTES;
  while (end >= 0 && !isEnd(tail, end)) end--;
  if (end < 0) throw cutShort('zip');
  const locator = end - LOCATOR_BYTES;
  if (locator < 0 || tail.readUInt32LE(locator) !== LOCATOR)
    return {
      count: tail.readUInt16LE(end + 10),
      bytes: tail.readUInt32LE(end + 12),
      at: tail.readUInt32LE(end + 16),
    };
  const zip64At = Number(tail.readBigUInt64LE(locator + 8));
  const zip64 =
    zip64At < tailAt + locator ? await rangeOf(archive, zip64At, ZIP64_END_BYTES) : Buffer.alloc(0);
  if (zip64.length < ZIP64_END_BYTES || zip64.readUInt32LE(0) !== ZIP64_END)
    throw damagedData('zip', 'the end of its directory is not where its locator states');
  return {
    count: Number(zip64.readBigUInt64LE(32)),
    bytes: Number(zip64.readBigUInt64LE(40)),
    at: Number(zip64.readBigUInt64LE(48)),
  };
}

function isEnd(tail: Buffer, at: number): boolean {
  return (
    tail.readUInt32LE(at) === END && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length
  );
}

/** Reads the entries. Members must not overlap: a small file could otherwise stand for very many bytes. */
function parsed(
  entries: Buffer,
  { at: directoryAt, count }: Omit<DirectoryRange, 'bytes'>,
): Directory {
  const directory = new Directory('zip');
  const ranges: { from: number; to: number }[] = [];
  let found = 0;
  for (let at = 0; at < entries.length; found++) {
    if (at + ENTRY_BYTES > entries.length || entries.readUInt32LE(at) !== ENTRY)
      throw damagedData('zip', 'its directory is malformed');
    const nameEnd = at + ENTRY_BYTES + entries.readUInt16LE(at + 28);
    const extraEnd = nameEnd + entries.readUInt16LE(at + 30);
    const end = extraEnd + entries.readUInt16LE(at + 32);
    if (end > entries.length) throw damagedData('zip', 'its directory is malformed');
    const name = entries.subarray(at + ENTRY_BYTES, nameEnd);
    const entry = entries.subarray(at, at + ENTRY_BYTES);
    const { packedBytes, headerAt, bytes } = numbersOf(entry, entries.subarray(nameEnd, extraEnd));
    ranges.push({ from: headerAt, to: headerAt + LOCAL_HEADER_BYTES + name.length + packedBytes });
    if (name.at(-1) !== 0x2f && !isLink(entry))
      directory.add(textFromBytes(name), memberOf(entry, { packedBytes, headerAt, bytes }));
    at = end;
  }
  if (found !== count)
    throw damagedData('zip', `its directory has ${found} entries, its end states ${count}`);
  ranges.sort((a, b) => a.from - b.from);
  for (const [nth, { to }] of ranges.entries())
    if (to > (ranges[nth + 1]?.from ?? directoryAt))
      throw damagedData('zip', 'its members overlap');
  return directory;
}

interface Numbers {
  packedBytes: number;
  bytes: number;
  headerAt: number;
}

/** Returns the numbers that zip64 puts into an extra field, in this order, if they do not fit. */
function numbersOf(entry: Buffer, extra: Buffer): Numbers {
  let [bytes, packedBytes, headerAt] = [24, 20, 42].map((at) => entry.readUInt32LE(at)) as [
    number,
    number,
    number,
  ];
  let at = zip64In(extra);
  const wide = (number: number): number => {
    if (number !== IN_ZIP64 || at === undefined) return number;
    if (at + 8 > extra.length) throw damagedData('zip', 'its directory is malformed');
    at += 8;
    return Number(extra.readBigUInt64LE(at - 8));
  };
  bytes = wide(bytes);
  packedBytes = wide(packedBytes);
  headerAt = wide(headerAt);
  return { bytes, packedBytes, headerAt };
}

function zip64In(extra: Buffer): number | undefined {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2))
    if (extra.readUInt16LE(at) === 1) return at + 4;
  return undefined;
}

const UNIX = 3;
const FILE_TYPE = 0o170000;
const LINK_TYPE = 0o120000;

function isLink(entry: Buffer): boolean {
  const isUnix = entry[5] === UNIX;
  return isUnix && (entry.readUInt16LE(40) & FILE_TYPE) === LINK_TYPE;
}

const FLAG_ENCRYPTED = 1;

function memberOf(entry: Buffer, { packedBytes, headerAt, bytes }: Numbers): Member {
  const method = entry.readUInt16LE(10);
  const data = {
    in: 'zip',
    headerAt,
    packedBytes,
    method,
    checksum: entry.readUInt32LE(16),
  } as const;
  // Data of another compression is a file of that compression, which is read like any other such file.
  const isUnpacked = method === ZIP_METHOD.STORED || method === ZIP_METHOD.DEFLATE;
  const member: Member = { size: isUnpacked ? bytes : packedBytes, data };
  if ((entry.readUInt16LE(8) & FLAG_ENCRYPTED) !== 0)
    return { ...member, problem: 'it is encrypted; decrypt it first' };
  if (!READABLE.has(method))
    return { ...member, problem: `it has the unknown compression ${method}` };
  if (method === ZIP_METHOD.STORED && bytes !== packedBytes)
    return { ...member, problem: 'its sizes differ, although it is not compressed' };
  return member;
}
