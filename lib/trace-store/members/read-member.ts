/** Reads the data of a member of an archive. */
import { crc32 } from 'node:zlib';
import { cutShort, damagedData } from '../../common/archive/damage.ts';
import { type Archive, type Bytes, bytesFrom, inflated, rangeOf } from './archive-bytes.ts';
import type { Member, MemberData } from './directory.ts';
import { LOCAL_HEADER_BYTES, ZIP_METHOD } from './zip-directory.ts';

const LOCAL_HEADER = 0x04034b50;

/**
 * Yields the bytes of the member from `start` on.
 * @param unpacked counts bytes that are decompressed before the member; it throws limit_exceeded
 * @throws trace_invalid
 */
export async function* readMember(
  archive: Archive,
  { data, size }: Member,
  start: number,
  unpacked: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (data.in === 'zip') yield* zipMember(archive, data, size, start);
  else if (data.isGzip) {
    const tar = counted(inflated(bytesFrom(archive, 0), 'gzip'), unpacked);
    yield* exactly(skipped(tar, data.at + start), size - start, 'tar');
  } else yield* exactly(bytesFrom(archive, data.at + start, size - start), size - start, 'tar');
}

async function* zipMember(
  archive: Archive,
  data: MemberData & { in: 'zip' },
  size: number,
  start: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { headerAt, packedBytes, method, checksum } = data;
  const header = await rangeOf(archive, headerAt, LOCAL_HEADER_BYTES);
  if (header.length < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER)
    throw damagedData('zip', 'a member is not where its directory states');
  const at = headerAt + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (method === ZIP_METHOD.DEFLATE) {
    const unpacked = inflated(bytesFrom(archive, at, packedBytes), 'raw');
    yield* skipped(checked(exactly(unpacked, size, 'zip'), checksum), start);
  } else {
    const rest = exactly(bytesFrom(archive, at + start, size - start), size - start, 'zip');
    yield* method === ZIP_METHOD.STORED && start === 0 ? checked(rest, checksum) : rest;
  }
}

/** Ends after `size` bytes. @throws trace_invalid if there are fewer; of a zip file, also if there are more */
async function* exactly(
  source: Bytes,
  size: number,
  format: 'zip' | 'tar',
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = size;
  if (left === 0 && format === 'tar') return;
  for await (const chunk of source) {
    if (chunk.length > left && format === 'zip')
      throw damagedData(
        'zip',
        `a member has more than the ${size} bytes that its directory states`,
      );
    yield chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= Math.min(left, chunk.length);
    if (left === 0 && format === 'tar') return;
  }
  if (left > 0) throw cutShort(format);
}

async function* checked(
  source: Bytes,
  checksum: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sum = 0;
  for await (const chunk of source) {
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== checksum) throw damagedData('zip', 'the checksum of a member does not match');
}

async function* skipped(source: Bytes, bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = bytes;
  for await (const chunk of source) {
    const unwanted = Math.min(left, chunk.length);
    left -= unwanted;
    if (unwanted < chunk.length) yield unwanted === 0 ? chunk : chunk.subarray(unwanted);
  }
}

/** Passes each chunk's length on before the chunk. */
export async function* counted(
  source: Bytes,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    count(chunk.length);
    yield chunk;
  }
}
