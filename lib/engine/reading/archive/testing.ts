/** Writes archives for tests, as common programs do. */
import { crc32, deflateRawSync } from 'node:zlib';
import { zstd } from '../testing.ts';

export interface TestMember {
  name: string;
  bytes: Uint8Array;
  /** How it is compressed; deflate if absent. */
  method?: 'stored' | 'deflate' | 'zstd';
  /** Puts the sizes after the data: with a signature, without one, or with 64 bits. */
  sizesAfter?: 'signed' | 'bare' | 'zip64';
  /** Further flags of the header. */
  flags?: number;
  /** Puts the sizes into an extra field, as zip64 does. */
  zip64?: boolean;
}

const METHODS = { stored: 0, deflate: 8, zstd: 93 } as const;

function packed(method: keyof typeof METHODS, bytes: Uint8Array): Buffer {
  if (method === 'stored') return Buffer.from(bytes);
  return method === 'zstd' ? zstd(bytes) : deflateRawSync(bytes);
}

function descriptor(form: TestMember['sizesAfter'], sum: number, sizes: readonly number[]): Buffer {
  const bits = form === 'zip64' ? 8 : 4;
  const bytes = Buffer.alloc(8 + 2 * bits);
  bytes.writeUInt32LE(0x08074b50);
  bytes.writeUInt32LE(sum, 4);
  for (const [at, size] of sizes.entries()) bytes.writeUInt32LE(size, 8 + at * bits);
  return form === 'bare' ? bytes.subarray(4) : bytes;
}

function zipMember(member: TestMember): Buffer {
  const { name, bytes, method = 'deflate', sizesAfter, flags = 0, zip64 = false } = member;
  const data = packed(method, bytes);
  const sizes = [data.length, bytes.length] as const;
  const extra = Buffer.alloc(zip64 ? 20 : 0);
  if (zip64) {
    extra.writeUInt32LE(0x00100001);
    extra.writeUInt32LE(bytes.length, 4);
    extra.writeUInt32LE(data.length, 12);
  }
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50);
  head.writeUInt16LE(zip64 ? 45 : 20, 4);
  head.writeUInt16LE(flags | (sizesAfter === undefined ? 0 : 8), 6);
  head.writeUInt16LE(METHODS[method], 8);
  head.writeUInt32LE(0x5b7a_6000, 10);
  head.writeUInt16LE(Buffer.byteLength(name), 26);
  head.writeUInt16LE(extra.length, 28);
  const sum = crc32(bytes);
  if (sizesAfter === undefined) head.writeUInt32LE(sum, 14);
  for (const [at, size] of sizes.entries())
    if (sizesAfter === undefined) head.writeUInt32LE(zip64 ? 0xffffffff : size, 18 + 4 * at);
  const after = sizesAfter === undefined ? [] : [descriptor(sizesAfter, sum, sizes)];
  return Buffer.concat([head, Buffer.from(name), extra, data, ...after]);
}

/** Bytes of the end of a zip file's directory. */
export const ZIP_END_BYTES = 22;

/** Returns a zip file. The entries of its directory have only what a reader of the members needs: the names. */
export function zipOf(...members: TestMember[]): Buffer {
  const entries = members.map(({ name }) => {
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(Buffer.byteLength(name), 28);
    return Buffer.concat([entry, Buffer.from(name)]);
  });
  const end = Buffer.alloc(ZIP_END_BYTES);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  return Buffer.concat([...members.map(zipMember), ...entries, end]);
}

export interface TarMember {
  name: string;
  bytes: Uint8Array;
  type?: string;
}

export function tarOf(...members: TarMember[]): Buffer {
  const parts = members.flatMap(({ name, bytes, type = '0' }) => {
    const head = Buffer.alloc(512);
    head.write(name, 0, 100);
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
