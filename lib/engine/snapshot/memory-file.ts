/**
 * Reads and writes memory files: uncompressed snapshots, whose regions a compiled engine reads as it touches them. First in
 * the file are the regions that are not all zero, then a JSON footer, its length (u32, little-endian), its digest and a line of
 * magic. The digest is the BLAKE2b-512 of the magic and the footer, which has the check of each region (native/host/source.h).
 */
import { createHash } from 'node:crypto';
import { fstatSync, readSync } from 'node:fs';
import { PAGE_BYTES, regionsOf, type Snapshot } from './snapshot.ts';
import { readable, SnapshotOfOtherEngine, SnapshotUnusable } from './snapshot-file.ts';

const MAGIC = Buffer.from('bigtrace memory 1\n');
const DIGEST_BYTES = 64;
const TRAILER_BYTES = 4 + DIGEST_BYTES + MAGIC.length;
const REGION_BYTES_MIN = 2 ** 16;
/** As REGIONS_MAX in native/host/instance.h. */
const REGIONS_MAX = 2048;
/** Where a region is in the file (u64), and its check. */
const ENTRY_BYTES = 24;
const CHECK_AT = 8;
/** The regions in base64, and 16 KiB for the rest: an engine's identity, a key and numbers. */
const FOOTER_BYTES_MAX = Math.ceil((REGIONS_MAX * ENTRY_BYTES) / 3) * 4 + 2 ** 14;
const NOWHERE = 2n ** 64n - 1n;

/** Writes the check of a region to `into`. */
export type RegionCheck = (bytes: Uint8Array, into: Uint8Array) => void;

/** A memory file, and what it must be of. */
export interface MemoryOwner {
  /** `Engine.identity` of the engine. */
  engine: string;
  /** Key of the image of the trace (`imageKey`). */
  key: string;
}

export interface MemoryFile {
  memoryBytes: number;
  regionBytes: number;
  /** Entries in the form of native/host/source.h. */
  regions: Uint8Array;
}

interface Footer extends MemoryOwner {
  memoryBytes: number;
  regionBytes: number;
  /** Length of all regions in the file. */
  contentsBytes: number;
  /** In base64. */
  regions: string;
}

/** Yields the memory file of these snapshots, lowest first, in pieces. */
export async function* encodeMemory(
  snapshots: readonly Snapshot[],
  { engine, key }: MemoryOwner,
  check: RegionCheck,
): AsyncGenerator<Uint8Array> {
  const memoryBytes = Math.max(...snapshots.map((each) => each.memoryBytes));
  let regionBytes = REGION_BYTES_MIN;
  while (regionBytes * REGIONS_MAX < memoryBytes) regionBytes *= 2;
  const regions = Buffer.alloc(Math.ceil(memoryBytes / regionBytes) * ENTRY_BYTES);
  let contentsBytes = 0;
  let entryAt = 0;
  for (const region of regionsOf(snapshots, memoryBytes, regionBytes)) {
    const entry = regions.subarray(entryAt, entryAt + ENTRY_BYTES);
    entryAt += ENTRY_BYTES;
    entry.writeBigUInt64LE(NOWHERE);
    if (isZero(region)) continue;
    entry.writeBigUInt64LE(BigInt(contentsBytes));
    check(region, entry.subarray(CHECK_AT));
    contentsBytes += region.length;
    yield region;
  }
  const sizes = { memoryBytes, regionBytes, contentsBytes };
  const footer: Footer = { engine, key, ...sizes, regions: regions.toString('base64') };
  const text = Buffer.from(JSON.stringify(footer));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  yield Buffer.concat([text, length, digestOf(text), MAGIC]);
}

function isZero(region: Buffer): boolean {
  const [first = 0] = region;
  return first === 0 && region.compare(region, 1, region.length, 0, region.length - 1) === 0;
}

/**
 * Reads what the file says about itself, which must be of this engine and trace. Its regions are checked when they are read.
 * @throws SnapshotUnusable
 */
export function readMemoryFile(file: number, owner: MemoryOwner): MemoryFile {
  const { footer, footerAt } = readFooter(file);
  if (footer.engine !== owner.engine) throw new SnapshotOfOtherEngine('it is of another engine');
  if (footer.key !== owner.key) throw new SnapshotUnusable('it is of another trace');
  const { memoryBytes, regionBytes, contentsBytes } = footer;
  const regions = Buffer.from(footer.regions, 'base64');
  const count = Math.ceil(memoryBytes / regionBytes);
  const isWhole = regions.length === count * ENTRY_BYTES && memoryBytes % PAGE_BYTES === 0;
  if (contentsBytes !== footerAt || !isWhole || count > REGIONS_MAX)
    throw new SnapshotUnusable('its footer contradicts itself');
  return { memoryBytes, regionBytes, regions };
}

function readFooter(file: number): { footer: Footer; footerAt: number } {
  const fileBytes = readable(() => fstatSync(file).size);
  const trailerAt = fileBytes - TRAILER_BYTES;
  if (trailerAt < 0) throw new SnapshotUnusable('it is cut short');
  const trailer = bytesAt(file, trailerAt, TRAILER_BYTES);
  if (!trailer.subarray(4 + DIGEST_BYTES).equals(MAGIC))
    throw new SnapshotUnusable('it is no memory file, or cut short');
  const footerBytes = trailer.readUInt32LE();
  const footerAt = trailerAt - footerBytes;
  if (footerAt < 0 || footerBytes > FOOTER_BYTES_MAX) throw new SnapshotUnusable('it is damaged');
  const text = bytesAt(file, footerAt, footerBytes);
  if (!digestOf(text).equals(trailer.subarray(4, 4 + DIGEST_BYTES)))
    throw new SnapshotUnusable('it is damaged');
  return { footer: JSON.parse(text.toString()), footerAt };
}

function bytesAt(file: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const got = readable(() => readSync(file, bytes, at, length - at, from + at));
    if (got === 0) throw new SnapshotUnusable('it is cut short');
    at += got;
  }
  return bytes;
}

function digestOf(footer: Uint8Array): Buffer {
  return createHash('blake2b512').update(MAGIC).update(footer).digest();
}
