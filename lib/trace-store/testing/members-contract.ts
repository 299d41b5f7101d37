/** Tests of members of archives as traces of their own, which every store must pass. */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { tarOf, zipOf } from '../../common/archive/testing.ts';
import { TraceStores } from '../stores.ts';
import type { TraceStore } from '../trace-store.ts';

/** The parts of StoreUnderTest that these tests need. */
export interface MembersUnderTest {
  store: TraceStore;
  pathOf(name: string): string;
  put(name: string, bytes: Uint8Array): Promise<void>;
}

const BIG = randomBytes(2_500_000);
const TEXT = Buffer.from('the bytes of a trace '.repeat(200_000));
const FILES = [
  { name: 'a.pftrace', bytes: BIG },
  { name: './dir/b c.json', bytes: TEXT },
  { name: 'größe', bytes: Buffer.alloc(0) },
];
/** Their names in addresses, sorted. */
const NAMES = ['a.pftrace', 'dir/b c.json', 'größe'];

const ARCHIVES = {
  zip: zipOf(...FILES),
  'stored.zip': zipOf(...FILES.map((one) => ({ ...one, method: 'stored' as const }))),
  tar: tarOf(...FILES),
  'tar.gz': gzipSync(tarOf(...FILES)),
};

export function memberTests(open: () => MembersUnderTest, lists: boolean): void {
  const stores = (): TraceStores => new TraceStores([open().store]);
  const addressOf = async (name: string, bytes: Uint8Array): Promise<string> => {
    const { store, pathOf, put } = open();
    await put(name, bytes);
    return `/${store.name}/${pathOf(name)}`;
  };
  const read = async (address: string, generation: string, start = 0): Promise<Buffer> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stores().read(address, { generation, start })) chunks.push(chunk);
    return Buffer.concat(chunks);
  };

  test.each(Object.entries(ARCHIVES))('members of a %s are traces', async (format, archive) => {
    const address = await addressOf(`members/x.${format}`, archive);
    for (const [nth, name] of NAMES.entries()) {
      const member = `${address}!/${open().store.name === 'http' ? encodeURI(name) : name}`;
      const bytes = FILES[nth]?.bytes ?? Buffer.alloc(0);
      const { size, generation } = await stores().stat(member);
      expect([name, size]).toEqual([name, bytes.length]);
      for (const start of [0, Math.floor(bytes.length / 3)])
        expect(bytes.subarray(start).equals(await read(member, generation, start))).toBe(true);
    }
    expect((await stores().stat(address)).size).toBe(archive.length);
  });

  test('the generation of a member changes with its archive', async () => {
    const address = await addressOf('members/y.zip', ARCHIVES.zip);
    const { generation } = await stores().stat(`${address}!/a.pftrace`);
    expect((await stores().stat(`${address}!/a.pftrace`)).generation).toBe(generation);
    await addressOf('members/y.zip', ARCHIVES['stored.zip']);
    await expect(read(`${address}!/a.pftrace`, generation)).rejects.toThrow('changed');
  });

  test('an archive without the member, and a file that is no archive, are errors', async () => {
    const address = await addressOf('members/z.zip', ARCHIVES.zip);
    await expect(stores().stat(`${address}!/no`)).rejects.toThrow(
      `[${address}!/no]: the archive has no member "no"`,
    );
    const plain = await addressOf('members/plain', TEXT);
    await expect(stores().stat(`${plain}!/no`)).rejects.toThrow(
      `[${plain}!/no]: there is no such trace, and "${plain}" is no archive (zip, tar, or tar with gzip)`,
    );
    await expect(stores().stat(`${plain}-not!/no`)).rejects.toThrow(
      `[${plain}-not!/no]: the trace does not exist`,
    );
  });

  if (!lists) return;
  test('patterns list members', async () => {
    const one = await addressOf('archives/one.zip', ARCHIVES.zip);
    const two = await addressOf('archives/deep/two.tar.gz', ARCHIVES['tar.gz']);
    const plain = await addressOf('archives/plain', TEXT);
    const base = plain.slice(0, -'plain'.length);
    const listed = async (pattern: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const { address, size, generation } of stores().list(base + pattern)) {
        expect(await stores().stat(address)).toMatchObject({ size, generation });
        found.push(address);
      }
      return found;
    };
    expect(await listed('**')).toEqual([two, one, plain]);
    expect(await listed('**/*!/**')).toEqual(
      [two, one].flatMap((archive) => NAMES.map((name) => `${archive}!/${name}`)),
    );
    expect(await listed('*.zip!/*')).toEqual([`${one}!/a.pftrace`, `${one}!/größe`]);
    expect(await listed('{plain,**/*!/*.pftrace}')).toEqual([
      `${two}!/a.pftrace`,
      `${one}!/a.pftrace`,
      plain,
    ]);
    expect(await listed('one.zip!/dir/*')).toEqual([`${one}!/dir/b c.json`]);
  });
}
