/** Tests of archives that are damaged, hostile or odd. The tests that every store passes are in ../testing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { paxAttributes, tarOf, zipOf } from '../../common/archive/testing.ts';
import { localStore } from '../local/local-store.ts';
import { TraceStores } from '../stores.ts';
import { Directory } from './directory.ts';

const root = mkdtempSync(join(tmpdir(), 'bigtrace-members-'));
afterAll(() => rmSync(root, { recursive: true }));
const stores = new TraceStores([localStore({ root })], new Map(), 100_000);

const A = { name: 'a', bytes: Buffer.from('first') };
const B = { name: 'b', bytes: Buffer.from('second') };

async function outcome(address: string): Promise<string> {
  try {
    const { generation } = await stores.stat(address);
    const chunks: Uint8Array[] = [];
    for await (const chunk of stores.read(address, { generation })) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

async function listed(pattern: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { address } of stores.list(pattern)) found.push(address);
  return found;
}

const damaged = (bytes: Buffer, at: number, byte = 0xff): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = byte;
  return copy;
};

const zip = zipOf(A, B);
/** Offset of the directory of `zip`. */
const directoryAt = zip.readUInt32LE(zip.length - 6);
const overlapping = Buffer.from(zip);
overlapping.writeUInt32LE(0, directoryAt + 46 + 1 + 42);

const UNREADABLE: [string, Buffer, string][] = [
  ['cut in its directory', zip.subarray(0, -30), 'the zip data of the trace is cut short'],
  [
    'whose members overlap',
    overlapping,
    'the zip data of the trace is damaged: its members overlap',
  ],
  [
    'with a name that leads out',
    zipOf(A, { ...B, name: '../../etc/passwd' }),
    'the zip data of the trace is damaged: the name of its member "../../etc/passwd" leads out of the archive',
  ],
  [
    'with a NUL in a name',
    zipOf({ ...A, name: 'a\0b' }),
    'the zip data of the trace is damaged: the name of its member "a\\x00b" contains a NUL',
  ],
  [
    'with a wrong count',
    damaged(zip, zip.length - 12, 9),
    'the zip data of the trace is damaged: its directory has 2 entries, its end states 9',
  ],
  ['cut as tar', tarOf(A, B).subarray(0, 1800), 'the tar data of the trace is cut short'],
  ['damaged as tar', damaged(tarOf(A, B), 1100), 'the checksum of a header does not match'],
  [
    'cut as tar.gz',
    gzipSync(tarOf(A, B)).subarray(0, -20),
    'the gzip data of the trace is cut short',
  ],
  [
    'that is a bomb',
    gzipSync(tarOf(A, { name: 'b', bytes: Buffer.alloc(2_000_000) })),
    'the tar file has more than 100000 bytes after decompression (--trace-bytes-max); store it as a zip file, or without gzip',
  ],
];

test.each(UNREADABLE)('an archive %s is an error, also in listings', async (name, bytes, why) => {
  writeFileSync(join(root, `${name}.x`), bytes);
  const archive = `/local/${name}.x`;
  expect(await outcome(`${archive}!/a`)).toMatch(`[${archive}!/a]: `);
  expect(await outcome(`${archive}!/a`)).toContain(why);
  const [one = '', ...others] = await listed('/local/*.x!/**').then((all) =>
    all.filter((address) => address.startsWith(archive)),
  );
  expect([one, others]).toEqual([`${archive}!/*`, []]);
  expect(await outcome(one)).toContain(why);
});

const whole = { a: 'first', b: 'second' };
const ODD: [string, Buffer, Record<string, string>][] = [
  ['zip64', zipOf({ ...A, zip64: true }, { ...B, zip64: true }), whole],
  [
    'sizes after the data',
    zipOf({ ...A, sizesAfter: 'signed' }, { ...B, sizesAfter: 'bare' }),
    whole,
  ],
  ['a comment', Buffer.concat([zip.subarray(0, -2), Buffer.from('\x05\0hello')]), whole],
  [
    'names to clean',
    zipOf({ ...A, name: '/./a' }, { ...B, name: 'd//e/./b' }),
    { a: 'first', 'd/e/b': 'second' },
  ],
  ['a name in bytes', zipOf({ ...A, name: Buffer.from('\xff', 'latin1') }), { '\udcff': 'first' }],
  ['a name with the border', zipOf({ ...A, name: 'x!/a' }), { 'x!/a': 'first' }],
  [
    'directories and links',
    zipOf({ ...A, name: 'd/', bytes: Buffer.alloc(0) }, { ...B, name: 'l', mode: 0o120777 }, B),
    { b: 'second' },
  ],
  [
    'compression that the worker reads',
    zipOf({ ...A, method: { id: 93, pack: () => Buffer.from('zstd frame') } }),
    { a: 'zstd frame' },
  ],
  [
    'a name twice',
    zipOf(A, { ...B, name: 'a' }, B),
    {
      a: 'member "a" of the archive cannot be read: the archive has several members with this name',
      b: 'second',
    },
  ],
  [
    'encryption',
    zipOf({ ...A, flags: 1 }, B),
    {
      a: 'member "a" of the archive cannot be read: it is encrypted; decrypt it first',
      b: 'second',
    },
  ],
  [
    'an unknown compression',
    zipOf({ ...A, method: { id: 14, pack: () => Buffer.alloc(3) } }),
    { a: 'member "a" of the archive cannot be read: it has the unknown compression 14' },
  ],
  [
    'more bytes than stated',
    damaged(zip, directoryAt + 24, 2),
    { a: 'a member has more than the 2 bytes that its directory states', b: 'second' },
  ],
  [
    'a wrong checksum',
    damaged(zip, directoryAt + 16),
    { a: 'the checksum of a member does not match', b: 'second' },
  ],
  [
    'attributes of pax, long names and links',
    tarOf(
      paxAttributes({ path: 'long/a' }),
      { ...A, name: 'short' },
      { name: '././@LongLink', bytes: Buffer.from('longer/b\0'), type: 'L' },
      B,
      { name: 'l', bytes: Buffer.alloc(0), type: '2' },
    ),
    { 'long/a': 'first', 'longer/b': 'second' },
  ],
];

test.each(ODD)('an archive with %s', async (name, bytes, members) => {
  const directory = name.replaceAll(' ', '-');
  mkdirSync(join(root, directory), { recursive: true });
  writeFileSync(join(root, directory, 'odd'), bytes);
  const archive = `/local/${directory}/odd!/`;
  const names = Object.keys(members).map((member) => archive + member);
  expect(await listed(`${archive}**${name === 'a name with the border' ? '!/*' : ''}`)).toEqual(
    names,
  );
  for (const [member, expected] of Object.entries(members))
    expect(await outcome(archive + member)).toContain(expected);
});

test('a directory whose name ends with ! is read as before, and comes before an archive', async () => {
  mkdirSync(join(root, 'real!'));
  writeFileSync(join(root, 'real!', 'a'), 'a file');
  writeFileSync(join(root, 'real'), zip);
  expect(await outcome('/local/real!/a')).toBe('a file');
  expect(await outcome('/local/real!/b')).toBe('second');
  expect(new Set(await listed('/local/real!/*'))).toEqual(
    new Set(['/local/real!/a', '/local/real!/b']),
  );
});

test('if the archive with the longest path cannot be read, no other archive takes its place', async () => {
  mkdirSync(join(root, 'twice!'));
  writeFileSync(join(root, 'twice!', 'inner'), zip.subarray(0, -30));
  writeFileSync(join(root, 'twice'), zipOf({ ...A, name: 'inner!/a' }));
  expect(await outcome('/local/twice!/inner!/a')).toContain(
    'the zip data of the trace is cut short',
  );
  writeFileSync(join(root, 'twice!', 'inner'), 'no archive');
  expect(await outcome('/local/twice!/inner!/a')).toBe('first');
});

test('the names of the members of an archive are bounded together', () => {
  const directory = new Directory('tar');
  const name = (nth: number): string => `${nth}`.padEnd(2 ** 20, 'x');
  const member = { size: 0, data: { in: 'tar', at: 0, isGzip: false } } as const;
  for (let nth = 0; nth < 32; nth++) directory.add(name(nth), member);
  expect(directory.weight).toBe(1 + 32 + 2 ** 16);
  expect(() => directory.add('y', member)).toThrow(
    "the names of the archive's members have more than 33554432 characters, the bound",
  );
});

test('an address out of the root stays forbidden', async () => {
  expect(await outcome('/local/../x!/a')).toContain('leads out of the traces directory');
});

test('a listing reads the directory of a zip file once', async () => {
  const members = Array.from({ length: 1000 }, (_, nth) => ({
    name: `m${nth}`,
    bytes: Buffer.from(`${nth}`),
  }));
  writeFileSync(join(root, 'many.zip'), zipOf(...members));
  const reads: number[] = [];
  const local = localStore({ root });
  const counting = new TraceStores([
    {
      ...local,
      async *read(path, options) {
        let bytes = 0;
        for await (const chunk of local.read(path, options)) {
          bytes += chunk.length;
          yield chunk;
        }
        reads.push(bytes);
      },
    },
  ]);
  let count = 0;
  for await (const { address } of counting.list('/local/many.zip!/*')) {
    expect(address).toContain('many.zip!/m');
    count++;
  }
  expect(count).toBe(1000);
  expect(reads.length).toBeLessThanOrEqual(2);
});
