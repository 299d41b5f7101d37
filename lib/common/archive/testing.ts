/** Writes archives for tests, as common programs do. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface TestMember {
  name: string | Buffer;
  bytes: Uint8Array;
  /** How it is compressed; deflate if absent. */
  method?: 'stored' | 'deflate' | TestMethod;
  /** Puts the sizes after the data: with a signature, without one, or with 64 bits. */
  sizesAfter?: 'signed' | 'bare' | 'zip64';
  /** Further flags of the header. */
  flags?: number;
  /** Puts the sizes into an extra field, as zip64 does. */
  zip64?: boolean;
  /** Mode of the file in Unix; 0 if absent. */
  mode?: number;
}

export interface TestMethod {
  id: number;
  pack: (bytes: Uint8Array) => Buffer;
}

const METHODS: Record<'stored' | 'deflate', TestMethod> = {
  stored: { id: 0, pack: (bytes) => Buffer.from(bytes) },
  deflate: { id: 8, pack: (bytes) => deflateRawSync(bytes) },
};

interface Packed {
  id: number;
  data: Buffer;
  checksum: number;
  name: Buffer;
}

function packed({ name, bytes, method = 'deflate' }: TestMember): Packed {
  const { id, pack } = typeof method === 'string' ? METHODS[method] : method;
  return { id, data: pack(bytes), checksum: crc32(bytes), name: Buffer.from(name) };
}

function descriptor(form: TestMember['sizesAfter'], sum: number, sizes: readonly number[]): Buffer {
  const bits = form === 'zip64' ? 8 : 4;
  const bytes = Buffer.alloc(8 + 2 * bits);
  bytes.writeUInt32LE(0x08074b50);
  bytes.writeUInt32LE(sum, 4);
  for (const [at, size] of sizes.entries()) bytes.writeUInt32LE(size, 8 + at * bits);
  return form === 'bare' ? bytes.subarray(4) : bytes;
}

function zip64Extra(numbers: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * numbers.length);
  extra.writeUInt16LE(1);
  extra.writeUInt16LE(8 * numbers.length, 2);
  for (const [at, number] of numbers.entries()) extra.writeUInt32LE(number, 4 + 8 * at);
  return extra;
}

const MODIFIED = 0x5b7a_6000;

function zipMember(member: TestMember): Buffer {
  const { bytes, sizesAfter, flags = 0, zip64 = false } = member;
  const { id, data, checksum, name } = packed(member);
  const sizes = [data.length, bytes.length] as const;
  const extra = zip64 ? zip64Extra([bytes.length, data.length]) : Buffer.alloc(0);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50);
  head.writeUInt16LE(zip64 ? 45 : 20, 4);
  head.writeUInt16LE(flags | (sizesAfter === undefined ? 0 : 8), 6);
  head.writeUInt16LE(id, 8);
  head.writeUInt32LE(MODIFIED, 10);
  head.writeUInt16LE(name.length, 26);
  head.writeUInt16LE(extra.length, 28);
  if (sizesAfter === undefined) head.writeUInt32LE(checksum, 14);
  for (const [at, size] of sizes.entries())
    if (sizesAfter === undefined) head.writeUInt32LE(zip64 ? 0xffffffff : size, 18 + 4 * at);
  const after = sizesAfter === undefined ? [] : [descriptor(sizesAfter, checksum, sizes)];
  return Buffer.concat([head, name, extra, data, ...after]);
}

/** Returns the entry of a member in the directory. */
function zipEntry(member: TestMember, headerAt: number): Buffer {
  const { bytes, sizesAfter, flags = 0, zip64 = false, mode = 0 } = member;
  const { id, data, checksum, name } = packed(member);
  const extra = zip64 ? zip64Extra([bytes.length, data.length, headerAt]) : Buffer.alloc(0);
  const numberOf = (number: number): number => (zip64 ? 0xffffffff : number);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50);
  entry.writeUInt16LE(mode === 0 ? 20 : 0x314, 4);
  entry.writeUInt16LE(zip64 ? 45 : 20, 6);
  entry.writeUInt16LE(flags | (sizesAfter === undefined ? 0 : 8), 8);
  entry.writeUInt16LE(id, 10);
  entry.writeUInt32LE(MODIFIED, 12);
  entry.writeUInt32LE(checksum, 16);
  entry.writeUInt32LE(numberOf(data.length), 20);
  entry.writeUInt32LE(numberOf(bytes.length), 24);
  entry.writeUInt16LE(name.length, 28);
  entry.writeUInt16LE(extra.length, 30);
  entry.writeUInt16LE(mode, 40);
  entry.writeUInt32LE(numberOf(headerAt), 42);
  return Buffer.concat([entry, name, extra]);
}

/** Bytes of the end of a zip file's directory. */
export const ZIP_END_BYTES = 22;

export function zipOf(...members: TestMember[]): Buffer {
  const parts = members.map(zipMember);
  let at = 0;
  const entries = members.map((member, nth) => {
    const entry = zipEntry(member, at);
    at += parts[nth]?.length ?? 0;
    return entry;
  });
  const end = Buffer.alloc(ZIP_END_BYTES);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(Buffer.concat(entries).length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...entries, end]);
}

export interface TarMember {
  name: string | Buffer;
  bytes: Uint8Array;
  type?: string;
}

export function tarOf(...members: TarMember[]): Buffer {
  const parts = members.flatMap(({ name, bytes, type = '0' }) => {
    const head = Buffer.alloc(512);
    Buffer.from(name).copy(head, 0, 0, 100);
    head.write('0000644\0', 100);
    head.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    head.write('14700000000\0', 136);
    head.write(' '.repeat(8), 148);
    head.write(type, 156);
    head.write('ustar\x0000', 257);
    const sum = head.reduce((total, byte) => total + byte, 0);
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [head, Buffer.from(bytes), Buffer.alloc(-bytes.length & 511)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** Returns the attributes that pax writes before a member, as a member. */
export function paxAttributes(attributes: Record<string, string>): TarMember {
  const lines = Object.entries(attributes).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const bytes = Buffer.byteLength(rest);
    let length = bytes + 1;
    while (String(length).length + bytes !== length) length++;
    return `${length}${rest}`;
  });
  return { name: 'PaxHeaders/x', bytes: Buffer.from(lines.join('')), type: 'x' };
}
