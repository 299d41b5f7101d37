/** Reads the directory at the end of a zip file, which tells whether the file is whole. */
import { damagedData } from '../../../common/archive/damage.ts';

const ENTRY = 0x02014b50;
const END = 0x06054b50;
/** Records beside the entries: their shortest length, and where they state how much follows that, in how many bytes. */
const OTHERS: Record<number, { bytes: number; lengthAt?: number; lengthBytes?: number }> = {
  101075792: { bytes: 12, lengthAt: 4, lengthBytes: 6 }, // zip64 end; its length has 8 bytes
  117853008: { bytes: 20 }, // zip64 locator
  84233040: { bytes: 6, lengthAt: 4, lengthBytes: 2 }, // signature
  134630224: { bytes: 8, lengthAt: 4, lengthBytes: 4 }, // extra data
};
const ENTRY_BYTES = 46;
const END_BYTES = 22;
/** The end states this number of entries if they are in the zip64 end, and not below it. */
const IN_ZIP64 = 0xffff;

export class ZipDirectory {
  readonly #members: number;
  /** Whether the end of the directory was read. */
  ended = false;

  /** `members` is the number of members that precede the directory. */
  constructor(members: number) {
    this.#members = members;
  }

  /** Reads the next record. @returns its length; 0 while it is incomplete @throws BigtraceError trace_invalid */
  next(rest: Buffer): number {
    if (rest.length < 4) return 0;
    const kind = rest.readUInt32LE(0);
    if (kind === END) return this.#end(rest);
    const length = kind === ENTRY ? entryLength(rest) : otherLength(kind, rest);
    return rest.length < length ? 0 : length;
  }

  #end(rest: Buffer): number {
    if (rest.length < END_BYTES) return 0;
    const entries = rest.readUInt16LE(10);
    if (entries !== IN_ZIP64 && entries > this.#members)
      throw damagedData(
        'zip',
        `its directory has ${entries} entries, the file ${this.#members} members`,
      );
    this.ended = true;
    return END_BYTES;
  }
}

function entryLength(rest: Buffer): number {
  if (rest.length < ENTRY_BYTES) return ENTRY_BYTES;
  return ENTRY_BYTES + rest.readUInt16LE(28) + rest.readUInt16LE(30) + rest.readUInt16LE(32);
}

function otherLength(kind: number, rest: Buffer): number {
  const record = OTHERS[kind];
  if (record === undefined) throw damagedData('zip', 'something else follows its members');
  const { bytes, lengthAt, lengthBytes = 0 } = record;
  if (lengthAt === undefined || rest.length < bytes) return bytes;
  return bytes + rest.readUIntLE(lengthAt, lengthBytes);
}
