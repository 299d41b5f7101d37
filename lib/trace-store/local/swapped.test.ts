/**
 * Replaces a directory by a link out of the root before each file system call in turn, and checks that no request
 * returns anything from outside the root.
 */
import {
  type lstatSync,
  mkdirSync,
  mkdtempSync,
  type openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { lstat, open, opendir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TraceStores } from '../stores.ts';
import { BLOCKING_FILES } from './files.ts';
import { readFile, statFile } from './local-file.ts';
import { localStore } from './local-store.ts';

/** The number of calls with a path so far; before call number `swapAt` the directory is replaced by the link. */
let calls = 0;
let swapAt = Number.POSITIVE_INFINITY;
let swap = (): void => undefined;

function before<Args extends unknown[], Value>(
  call: (...args: Args) => Value,
): (...args: Args) => Value {
  return (...args) => {
    if (++calls === swapAt) swap();
    return call(...args);
  };
}

vi.mock('node:fs', async (importOriginal) => {
  type Calls = { openSync: typeof openSync; lstatSync: typeof lstatSync };
  const original = await importOriginal<Calls>();
  return {
    ...original,
    openSync: before(original.openSync),
    lstatSync: before(original.lstatSync as never),
  };
});

vi.mock('node:fs/promises', async (importOriginal) => {
  type Calls = { open: typeof open; opendir: typeof opendir; lstat: typeof lstat };
  const original = await importOriginal<Calls>();
  return {
    ...original,
    open: before(original.open),
    opendir: before(original.opendir as never),
    lstat: before(original.lstat as never),
  };
});

let top: string;
let stores: TraceStores;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'bigtrace-swapped-'));
  for (const directory of ['root/dir/deep', 'outside/deep'])
    mkdirSync(join(top, directory), { recursive: true });
  writeFileSync(join(top, 'root/dir/deep/trace'), 'inside');
  writeFileSync(join(top, 'outside/deep/trace'), 'secrets');
  writeFileSync(join(top, 'outside/deep/secret'), 'secret, too');
  symlinkSync('../outside', join(top, 'root/.link'));
  const root = join(top, 'root');
  stores = new TraceStores([localStore({ root })]);
  swap = () => {
    renameSync(join(root, 'dir'), join(root, '.dir'));
    renameSync(join(root, '.link'), join(root, 'dir'));
  };
  calls = 0;
});
afterEach(() => {
  swapAt = Number.POSITIVE_INFINITY;
  rmSync(top, { recursive: true });
});

async function listed(pattern: string): Promise<string> {
  const addresses: string[] = [];
  for await (const { address, size } of stores.list(pattern)) addresses.push(`${address} ${size}`);
  return addresses.join();
}

async function bytesOf(address: string, generation: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stores.read(address, { generation })) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function roots(): [string, string] {
  return [join(top, 'root'), join(top, 'root')];
}

async function bytesByBlocking(generation: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readFile(BLOCKING_FILES, roots(), 'dir/deep/trace', { generation }))
    chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const TRACE = '/local/dir/deep/trace';
/** Requests by title. `inside` and `outside` are the generations of the traces inside and outside the root. */
const ASKED: [string, (inside: string, outside: string) => Promise<string>][] = [
  ['stat', async () => String((await stores.stat(TRACE)).size)],
  ['read', (inside) => bytesOf(TRACE, inside)],
  ['read of what is outside', (_, outside) => bytesOf(TRACE, outside)],
  [
    'stat by blocking calls',
    async () => String((await statFile(BLOCKING_FILES, roots(), 'dir/deep/trace')).size),
  ],
  ['read by blocking calls', (inside) => bytesByBlocking(inside)],
  ['read of what is outside by blocking calls', (_, outside) => bytesByBlocking(outside)],
  ['listing of a pattern', () => listed('/local/dir/deep/*')],
  ['listing by wildcards', () => listed('/local/**')],
  ['listing by name', () => listed('/local/{dir/deep/trace,dir/deep/secret}')],
];

test.each(ASKED)('a %s returns nothing from outside the root', async (_, access) => {
  const { generation: inside } = await stores.stat(TRACE);
  const out = new TraceStores([localStore({ root: join(top, 'outside') })]);
  const { generation: outside } = await out.stat('/local/deep/trace');
  calls = 0;
  await access(inside, outside).catch(() => undefined);
  const moments = calls;
  expect(moments).toBeGreaterThan(1);
  for (let moment = 1; moment <= moments; moment++) {
    calls = 0;
    swapAt = moment;
    const outcome = await access(inside, outside).catch((error: Error) => error.message);
    swapAt = Number.POSITIVE_INFINITY;
    expect([moment, outcome]).toEqual([
      moment,
      expect.stringMatching(
        /^(6|inside|\/local\/dir\/deep\/trace 6|)$|leads out of the traces directory|the trace does not exist|changed while/,
      ),
    ]);
    // Undo the swap.
    renameSync(join(top, 'root/dir'), join(top, 'root/.link'));
    renameSync(join(top, 'root/.dir'), join(top, 'root/dir'));
  }
});
