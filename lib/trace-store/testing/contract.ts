/**
 * Tests of what every store must do. The test file of a driver opens a real store, tells how to write traces to it,
 * and calls `storeContract`.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BigtraceError, type ErrorCode } from '../../common/errors.ts';
import { Glob } from '../../common/glob/glob.ts';
import { bytesFromText, textFromBytes } from '../../common/text/byte-text.ts';
import type { ReadOptions, StoredTrace, TraceStat, TraceStore } from '../trace-store.ts';
import { memberTests } from './members-contract.ts';

export interface StoreUnderTest {
  store: TraceStore;
  /** Returns the path of a trace; for stores that list, a prefix followed by the name. */
  pathOf(name: string): string;
  /** Creates or replaces the trace. */
  put(name: string, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface ContractOptions {
  open(): Promise<StoreUnderTest>;
  /** Further names, besides the common ones, that this store supports. */
  names?: readonly string[];
  /** Whether the store can list traces. Default: true. */
  lists?: boolean;
}

/** Names with characters that are special in a URL, a shell or a pattern, and that every store supports. */
const NAMES = [
  'plain.pftrace',
  'dir/sub dir/a b.pftrace',
  'percent%20%2F%.pftrace',
  'query?a=1&b#hash.pftrace',
  'plus+and+=,;:@$!~.pftrace',
  'quote\'double".pftrace',
  'glob*?[a-c]{x,y}.pftrace',
  'paren (1).pftrace',
  'né 日本 🚀.pftrace',
  '-rf.pftrace',
];

/** More traces than object stores list in one page. */
const MANY = 1100;

const BIG = randomBytes(3 * 1024 * 1024 + 17);

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function readAll(store: TraceStore, path: string, options: ReadOptions): Promise<Buffer> {
  return Buffer.concat(await collect(store.read(path, options)));
}

/** Returns the error code with which `work` rejects; throws if it does not reject. */
export async function codeOf(work: Promise<unknown>): Promise<ErrorCode> {
  try {
    await work;
  } catch (thrown) {
    if (thrown instanceof BigtraceError) return thrown.code;
    throw thrown;
  }
  throw new Error('it should have failed');
}

const byBytes = (a: string, b: string): number =>
  Buffer.compare(bytesFromText(a), bytesFromText(b));

export function storeContract(name: string, options: ContractOptions): void {
  describe(`contract: ${name}`, () => {
    let under: StoreUnderTest;
    beforeAll(async () => {
      under = await options.open();
    });
    afterAll(async () => {
      under.store.close?.();
      await under.close();
    });
    const put = async (path: string, bytes: Uint8Array): Promise<string> => {
      await under.put(path, bytes);
      return under.pathOf(path);
    };
    const statOf = (path: string): Promise<TraceStat> => under.store.stat(path);
    const read = (path: string, from: ReadOptions): Promise<Buffer> =>
      readAll(under.store, path, from);

    statTests(put, statOf);
    readTests(put, statOf, read, () => under.store);
    nameTests(options.names ?? [], put, statOf, read);
    memberTests(() => under, options.lists ?? true);
    if (options.lists ?? true) listTests(() => under, options, put, statOf);
  });
}

type Put = (path: string, bytes: Uint8Array) => Promise<string>;
type Stat = (path: string) => Promise<TraceStat>;
type Read = (path: string, options: ReadOptions) => Promise<Buffer>;

function statTests(put: Put, stat: Stat): void {
  test('stat returns the size and the modification time', async () => {
    const path = await put('stat/size', Buffer.alloc(1234));
    const { size, modifiedMs } = await stat(path);
    expect(size).toBe(1234);
    if (modifiedMs !== 0) expect(Math.abs(modifiedMs - Date.now())).toBeLessThan(60_000);
  });

  test('the generation changes when the bytes change, and only then', async () => {
    const path = await put('stat/generation', Buffer.from('one'));
    const { generation } = await stat(path);
    expect((await stat(path)).generation).toBe(generation);
    await put('stat/generation', Buffer.from('two'));
    expect((await stat(path)).generation).not.toBe(generation);
  });

  test('stat of a missing trace fails with trace_not_found', async () => {
    const path = await put('stat/there', Buffer.from('x'));
    expect(await codeOf(stat(`${path}-not`))).toBe('trace_not_found');
    expect(await codeOf(stat(`${path}/below`))).toBe('trace_not_found');
  });
}

function readTests(put: Put, stat: Stat, read: Read, store: () => TraceStore): void {
  test.each([0, 1, 65_536, BIG.length])('a read returns all %i bytes', async (size) => {
    const path = await put(`read/${size}`, BIG.subarray(0, size));
    const { generation } = await stat(path);
    expect((await read(path, { generation })).equals(BIG.subarray(0, size))).toBe(true);
  });

  test('a read with a start returns the bytes from there on', async () => {
    const path = await put('read/start', BIG);
    const { generation } = await stat(path);
    for (const start of [1, 1_000_000, BIG.length - 1, BIG.length])
      expect((await read(path, { generation, start })).equals(BIG.subarray(start))).toBe(true);
  });

  test('a read of a previous generation fails with trace_changed', async () => {
    const path = await put('read/changed', Buffer.from('one'));
    const { generation } = await stat(path);
    await put('read/changed', Buffer.from('two'));
    expect(await codeOf(read(path, { generation }))).toBe('trace_changed');
    expect(await codeOf(read(path, { generation, start: 1 }))).toBe('trace_changed');
  });

  test('a read of a trace that is replaced meanwhile returns the old bytes or fails with trace_changed', async () => {
    const path = await put('read/replaced', BIG);
    const { generation } = await stat(path);
    const received: Uint8Array[] = [];
    const reading = (async () => {
      for await (const chunk of store().read(path, { generation })) {
        if (received.push(chunk) === 1) await put('read/replaced', Buffer.alloc(BIG.length));
      }
      return Buffer.concat(received).equals(BIG) ? 'the old bytes' : 'wrong bytes';
    })();
    const outcome = await reading.catch((thrown: BigtraceError) => thrown.code);
    expect(['the old bytes', 'trace_changed']).toContain(outcome);
  });

  test('a read of a missing trace fails with trace_not_found or trace_changed', async () => {
    const path = await put('read/vanished', Buffer.from('x'));
    const code = await codeOf(read(`${path}-not`, await stat(path)));
    expect(['trace_not_found', 'trace_changed']).toContain(code);
  });

  test('many reads can be left early', async () => {
    const path = await put('read/left', BIG);
    const { generation } = await stat(path);
    for (let time = 0; time < 30; time++)
      for await (const chunk of store().read(path, { generation })) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
    expect((await read(path, { generation })).length).toBe(BIG.length);
  });

  test('concurrent reads do not mix their bytes', async () => {
    const path = await put('read/together', BIG);
    const { generation } = await stat(path);
    const all = await Promise.all(Array.from({ length: 8 }, () => read(path, { generation })));
    expect(all.every((bytes) => bytes.equals(BIG))).toBe(true);
  });

  test('a signal cancels stat and read, before they begin and while they run', async () => {
    const path = await put('read/cancelled', BIG);
    const { generation } = await stat(path);
    expect(await codeOf(store().stat(path, AbortSignal.abort()))).toBe('cancelled');
    expect(await codeOf(read(path, { generation, signal: AbortSignal.abort() }))).toBe('cancelled');
    const reason = new BigtraceError('deadline_exceeded', 'time ran out');
    const stop = new AbortController();
    const reading = (async () => {
      for await (const _ of store().read(path, { generation, signal: stop.signal }))
        stop.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
  });
}

function nameTests(names: readonly string[], put: Put, stat: Stat, read: Read): void {
  test.each([...NAMES, ...names])('a trace with the name %j can be read', async (name) => {
    const path = await put(`names/${name}`, bytesFromText(`of ${name}`));
    const { generation } = await stat(path);
    expect(textFromBytes(await read(path, { generation }))).toBe(`of ${name}`);
  });
}

function listTests(
  open: () => StoreUnderTest,
  options: ContractOptions,
  put: Put,
  stat: Stat,
): void {
  const TREE = ['a.x', 'a.y', 'a/1.x', 'a/b/2.x', 'a/b/c/3.x', 'ab/4.x', '.h/5.x', 'a/.h.x', 'z'];
  const list = async (pattern: string, after?: string): Promise<StoredTrace[]> => {
    const from = after === undefined ? undefined : open().pathOf(after);
    return (await collect(open().store.list(open().pathOf(pattern), { after: from }))).flat();
  };

  test.each([
    '*',
    '**',
    '**/*.x',
    'a/**',
    '*/*',
    'a/*/*.x',
    '{a,ab}/*.x',
    'a*',
    '[!a]*',
    '.h/*',
    'q/*',
  ])('a listing of %s returns the matching traces in order', async (pattern) => {
    await Promise.all(TREE.map((path) => put(`tree/${path}`, Buffer.from(path))));
    const glob = Glob.parse(pattern);
    const expected = TREE.filter((path) => glob.matches(path)).sort(byBytes);
    const traces = await list(`tree/${pattern}`);
    expect(traces.map(({ path }) => path)).toEqual(
      expected.map((path) => open().pathOf(`tree/${path}`)),
    );
    for (const { path, ...listed } of traces) expect(await stat(path)).toEqual(listed);
  });

  test('every listed trace can be read by its listed path', async () => {
    const names = [...NAMES, ...(options.names ?? [])];
    await Promise.all(names.map((name) => put(`listed/${name}`, bytesFromText(`of ${name}`))));
    const traces = await list('listed/**');
    expect(traces.map(({ path }) => path)).toEqual(
      names.map((name) => open().pathOf(`listed/${name}`)).sort(byBytes),
    );
    for (const { path, generation } of traces) {
      const bytes = await readAll(open().store, path, { generation });
      expect(open().pathOf(`listed/${textFromBytes(bytes).slice('of '.length)}`)).toBe(path);
    }
  });

  test('a listing of several pages is in order, can resume after a path, and can be cancelled', async () => {
    const names = Array.from({ length: MANY }, (_, nth) => `many/${String(nth).padStart(5, '0')}`);
    for (let from = 0; from < MANY; from += 50)
      await Promise.all(names.slice(from, from + 50).map((path) => put(path, Buffer.from('x'))));
    const traces = await list('many/*');
    expect(traces.map(({ path }) => path)).toEqual(names.map((path) => open().pathOf(path)));

    const later = await list('many/*', names.at(-3));
    expect(later.map(({ path }) => path)).toEqual(
      names.slice(-2).map((path) => open().pathOf(path)),
    );

    const stop = new AbortController();
    const listing = (async () => {
      for await (const _ of open().store.list(open().pathOf('many/*'), { signal: stop.signal }))
        stop.abort();
    })();
    expect(await codeOf(listing)).toBe('cancelled');
  });
}
