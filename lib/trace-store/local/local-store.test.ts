import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeTroublesomeNames } from '../../../test/corpus/names.ts';
import { threadBundle } from '../../common/testing/thread-bundle.ts';
import { bytesFromText, textFromBytes } from '../../common/text/byte-text.ts';
import { TraceStores } from '../stores.ts';
import { codeOf, storeContract } from '../testing/contract.ts';
import { localStore } from './local-store.ts';

/** The bytes of a path below a directory, as the file system stores them. */
const inside = (root: string, path: string): Buffer =>
  Buffer.concat([Buffer.from(`${root}/`), bytesFromText(path)]);

const dirOf = (path: Buffer): Buffer => path.subarray(0, path.lastIndexOf('/'));

const FILE_THREAD = threadBundle(join(import.meta.dirname, 'file-thread.ts'));

describe.each([
  ['local', undefined],
  ['local, with a thread for small files', FILE_THREAD],
])('%s', (name, fileThread) => {
  storeContract(name, {
    names: [
      'new\nline',
      'tab\t',
      'back\\slash',
      'esc\u001b[31m',
      textFromBytes(Buffer.from([0x6c, 0xe9, 0xff])),
      ' spaces ',
    ],
    async open() {
      const root = await mkdtemp(join(tmpdir(), 'bigtrace-local-'));
      return {
        store: localStore({ root, fileThread: await fileThread }),
        pathOf: (name) => name,
        async put(path, bytes) {
          const file = inside(root, path);
          await mkdir(dirOf(file), { recursive: true });
          const made = inside(root, `.new-${Math.random()}`);
          await writeFile(made, bytes);
          await rename(made, file);
        },
        close: () => rm(root, { recursive: true }),
      };
    },
  });
});

let top: string;
let root: string;
let stores: TraceStores;

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'bigtrace-local-'));
  root = join(top, 'root');
  mkdirSync(join(root, 'dir/deep'), { recursive: true });
  mkdirSync(join(top, 'root-not'));
  writeFileSync(join(top, 'secret.pftrace'), 'secret');
  writeFileSync(join(top, 'root-not/secret.pftrace'), 'secret');
  writeFileSync(join(root, 'a.pftrace'), 'a');
  writeFileSync(join(root, 'dir/deep/b.pftrace'), 'b');
  stores = new TraceStores([localStore({ root })]);
});
afterAll(() => rm(top, { recursive: true }));

async function listed(pattern: string): Promise<string[]> {
  const listing: string[] = [];
  for await (const { address } of stores.list(pattern)) listing.push(address);
  return listing;
}

describe('the root', () => {
  test.each(['nowhere', 'root/a.pftrace'])('%s is refused, because it is no directory', (path) => {
    expect(() => localStore({ root: join(top, path) })).toThrow(
      /^the traces directory .* is not a readable directory$/,
    );
  });

  test('the root may be a link, and absolute paths may begin with the link or its target', async () => {
    symlinkSync(root, join(top, 'link'));
    const linked = new TraceStores([localStore({ root: join(top, 'link') })]);
    for (const path of ['a.pftrace', `/${join(top, 'link')}/a.pftrace`, `/${root}/a.pftrace`])
      expect((await linked.stat(`/local/${path.replace('//', '/')}`)).size).toBe(1);
  });

  test('absolute paths inside the root are found, others are refused', async () => {
    expect((await stores.stat(`/local/${root}/a.pftrace`)).size).toBe(1);
    expect(await listed(`/local/${root}/*.pftrace`)).toEqual(['/local/a.pftrace']);
    expect(await listed(`/local/${root}/a.pftrace`)).toEqual(['/local/a.pftrace']);
    for (const path of ['/etc/passwd', '/nowhere', `${top}/root-not/secret.pftrace`, '/'])
      expect(await codeOf(stores.stat(`/local/${path}`))).toBe('forbidden');
  });
});

describe('no path leads out of the root or reveals what is outside', () => {
  const REFUSED = 'the path leads out of the traces directory';

  test.each([
    '../secret.pftrace',
    '../nowhere',
    'dir/../../secret.pftrace',
    '../root/a.pftrace',
    '../*',
    'dir/../../*',
    'nowhere/../../secret.pftrace',
  ])('%s is refused', async (path) => {
    const outcome = codeOf(listed(`/local/${path}`));
    expect(await outcome).toBe(path.startsWith('nowhere') ? 'trace_not_found' : 'forbidden');
  });

  test('a link out of the root is refused, whether its target exists or not', async () => {
    symlinkSync('../secret.pftrace', join(root, 'out-file'));
    symlinkSync('../nowhere', join(root, 'out-nowhere'));
    symlinkSync(top, join(root, 'out-dir'));
    for (const path of ['out-file', 'out-nowhere', 'out-dir/secret.pftrace', 'out-dir/nowhere']) {
      const address = `/local/${path}`;
      await expect(stores.stat(address)).rejects.toThrow(`[${address}]: ${REFUSED}`);
      await expect(listed(address)).rejects.toThrow(`[${address}]: ${REFUSED}`);
      const reading = stores.read(address, { generation: 'any' }).next();
      await expect(reading).rejects.toThrow(`[${address}]: ${REFUSED}`);
    }
    expect(await listed('/local/out*')).toEqual([]);
    expect(await listed('/local/out*/*')).toEqual([]);
    await expect(listed('/local/out-dir/*')).rejects.toThrow(REFUSED);
  });
});

test('all names of a trace have one canonical address; a link is a trace with its own address', async () => {
  mkdirSync(join(root, 'x/y'), { recursive: true });
  writeFileSync(join(root, 'x/one'), 'one');
  symlinkSync('x/y', join(root, 'to-y'));
  symlinkSync('one', join(root, 'x/link'));
  const names = ['x/one', 'x//one', './x/./one', 'x/y/../one', 'to-y/../one', `/${root}/x/one`];
  for (const name of [...names, `/${root}/to-y/..//one`])
    for (const listing of [
      await stores.canonical(`/local/${name}`),
      ...(await listed(`/local/${name}`)),
    ])
      expect([name, listing]).toEqual([name, '/local/x/one']);
  expect(await listed('/local/to-y/../o*')).toEqual(['/local/x/one']);
  expect(await listed('/local/x/*/../one')).toEqual(['/local/x/one']);
  expect(await listed('/local/to-y/../link')).toEqual(['/local/x/link']);
  await expect(stores.canonical('/local/x/../../secret.pftrace')).rejects.toThrow(
    '[/local/x/../../secret.pftrace]: the path leads out',
  );
  await rm(join(root, 'x'), { recursive: true });
  await rm(join(root, 'to-y'));
});

describe('links inside the root', () => {
  test('a link to a file is listed by its name; a link to a directory is followed except by **', async () => {
    mkdirSync(join(root, 'links'));
    symlinkSync('../dir', join(root, 'links/dir'));
    symlinkSync('..', join(root, 'links/loop'));
    symlinkSync('self', join(root, 'links/self'));
    symlinkSync('nowhere', join(root, 'links/dangling'));
    symlinkSync(join(root, 'a.pftrace'), join(root, 'links/a'));
    expect(await listed('/local/links/**')).toEqual(['/local/links/a']);
    expect(await listed('/local/links/*/deep/*')).toEqual(['/local/links/dir/deep/b.pftrace']);
    expect(await listed('/local/links/loop/*')).toEqual(['/local/links/loop/a.pftrace']);
    expect((await stores.stat('/local/links/dir/../a.pftrace')).size).toBe(1);
    for (const path of ['self', 'dangling', 'self/x'])
      expect(await codeOf(stores.stat(`/local/links/${path}`))).toBe('trace_not_found');
  });
});

describe('paths that are not files', () => {
  test('a fifo or a directory fails at once', async () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    await expect(stores.stat('/local/fifo')).rejects.toThrow(
      '[/local/fifo]: it is not a file but a link, device, fifo or socket',
    );
    const reading = stores.read('/local/fifo', { generation: 'any' }).next();
    expect(await codeOf(reading)).toBe('trace_not_found');
    await expect(stores.stat('/local/dir')).rejects.toThrow(
      '[/local/dir]: it is a directory; use a pattern that ends in /** for the traces in it',
    );
    expect(await listed('/local/*')).toEqual(['/local/a.pftrace']);
    expect(await codeOf(stores.stat('/local/a\0b'))).toBe('invalid_address');
  });
});

describe('a read fails with trace_changed when the file', () => {
  test.each([
    ['grows', (file: string) => writeFileSync(file, 'more', { flag: 'a' })],
    ['is cut', (file: string) => writeFileSync(file, 'cut')],
    ['is written in place', (file: string) => writeFileSync(file, 'x', { flag: 'r+' })],
  ])('%s', async (_, change) => {
    const file = join(root, 'changing');
    writeFileSync(file, Buffer.alloc(5 << 20));
    utimesSync(file, 1, 1);
    const { generation } = await stores.stat('/local/changing');
    const reading = (async () => {
      let chunks = 0;
      for await (const _ of stores.read('/local/changing', { generation }))
        if (++chunks === 2) change(file);
    })();
    await expect(reading).rejects.toThrow(
      '[/local/changing]: the trace changed while it was being read',
    );
    await rm(file);
  });
});

describe('unusual names', () => {
  let names: string[];
  beforeAll(() => {
    names = makeTroublesomeNames(root);
  });

  test('traces with unusual names are listed, and read by their listed addresses', async () => {
    const listing = [...(await listed('/local/names/**')), ...(await listed('/local/names/.*'))];
    expect(listing.length).toBeGreaterThan(30);
    expect(listing.toSorted()).toEqual(names.map((path) => `/local/${path}`).toSorted());
    for (const address of listing) {
      const { size, generation } = await stores.stat(address);
      let bytes = 0;
      for await (const chunk of stores.read(address, { generation })) bytes += chunk.length;
      expect([address, bytes]).toEqual([address, size]);
      expect(await listed(address)).toEqual([address]);
    }
  });
});

test('the error for an unknown store names the configured stores', async () => {
  await expect(stores.stat('/nope/x')).rejects.toThrow(
    '[/nope/x]: there is no store /nope/; this worker has /local/',
  );
});
