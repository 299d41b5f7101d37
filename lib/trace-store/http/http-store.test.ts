import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isPattern } from '../../common/addresses/address.ts';
import { codeOf, storeContract } from '../testing/contract.ts';
import { storeFaults } from '../testing/faults.ts';
import { type FaultyProxy, startFaultyProxy } from '../testing/faulty-proxy.ts';
import { type FileServer, startFileServer, USUAL_STYLE } from '../testing/file-server.ts';
import type { TraceStore } from '../trace-store.ts';
import { httpStore } from './http-store.ts';

const encoded = (name: string): string => name.split('/').map(encodeURIComponent).join('/');

storeContract('http', {
  lists: false,
  async open() {
    const server = await startFileServer();
    return {
      store: httpStore('http', { hosts: [server.host], allowPrivate: true }),
      pathOf: (name) => `${server.host}/${encoded(name)}`,
      put: async (name, bytes) => void server.files.set(`/${encoded(name)}`, bytes),
      close: () => server.close(),
    };
  },
});

storeFaults('http', {
  lists: false,
  async open() {
    const server = await startFileServer();
    return {
      upstream: server.host,
      through: (host) => httpStore('http', { hosts: [host], allowPrivate: true }),
      pathOf: (name, host) => `${host}/${name}`,
      put: async (name, bytes) => void server.files.set(`/${name}`, bytes),
      close: () => server.close(),
    };
  },
});

let server: FileServer;
let proxy: FaultyProxy;
let store: TraceStore;
const bytes = Buffer.alloc(300_000, 'trace');
beforeAll(async () => {
  server = await startFileServer();
  server.files.set('/trace', bytes);
  proxy = await startFaultyProxy(server.host);
  store = httpStore('http', { hosts: [server.host, proxy.host], allowPrivate: true });
});
beforeEach(() => {
  Object.assign(server.style, USUAL_STYLE);
});
afterAll(async () => {
  store.close?.();
  await proxy.close();
  await server.close();
});
const readFrom = async (start: number): Promise<Buffer> => {
  const { generation } = await store.stat(`${server.host}/trace`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(`${server.host}/trace`, { generation, start }))
    chunks.push(chunk);
  return Buffer.concat(chunks);
};

describe('servers with fewer features', () => {
  test('a read skips the bytes before its start if the server ignores ranges', async () => {
    server.style.ranges = false;
    expect((await readFrom(100_001)).equals(bytes.subarray(100_001))).toBe(true);
  });

  test.each(['weak', 'none'] as const)(
    'with a %s ETag, the generation is the length and Last-Modified',
    async (etag) => {
      server.style.etag = etag;
      const { generation } = await store.stat(`${server.host}/trace`);
      expect(generation).toMatch(/^300000 .* GMT$/);
      expect((await readFrom(5)).equals(bytes.subarray(5))).toBe(true);
    },
  );

  test('stat fails if the server sends neither an ETag nor Last-Modified', async () => {
    Object.assign(server.style, { etag: 'none', modified: false });
    await expect(store.stat(`${server.host}/trace`)).rejects.toThrow(
      'the server sends neither ETag nor Last-Modified, so a change of the trace could not be detected',
    );
  });

  test('without Content-Length the size is unknown, and a read still detects a broken connection', async () => {
    server.style.length = false;
    expect((await store.stat(`${server.host}/trace`)).size).toBeUndefined();
    expect((await readFrom(7)).equals(bytes.subarray(7))).toBe(true);
    const { generation } = await store.stat(`${proxy.host}/trace`);
    proxy.faults = [{ kind: 'reset', afterBytes: 100 }];
    const reading = (async () => {
      for await (const _ of store.read(`${proxy.host}/trace`, { generation }));
    })();
    expect(await codeOf(reading)).toBe('store_failed');
  });

  test.each([400, 401, 403, 404, 405, 501])(
    'stat uses GET if the server responds to HEAD with %d',
    async (status) => {
      const usual = await store.stat(`${server.host}/trace`);
      server.style.headStatus = status;
      expect(await store.stat(`${server.host}/trace`)).toEqual(usual);
    },
  );

  test.each([400, 405, 416, 501])(
    'a read skips the bytes before its start if the server refuses ranges with %d',
    async (status) => {
      server.style.ranges = status;
      expect((await readFrom(100_001)).equals(bytes.subarray(100_001))).toBe(true);
    },
  );

  test('stat uses GET if the response to HEAD has no validators', async () => {
    const usual = await store.stat(`${server.host}/trace`);
    server.style.headIsBare = true;
    expect(await store.stat(`${server.host}/trace`)).toEqual(usual);
  });
});

describe('addresses with a query', () => {
  test.each([
    [
      '/a+b%2Fc/d.gz?X-Amz-Signature=a%2Fb%3D&X-Amz-Date=2026',
      '/a+b%2Fc/d.gz?X-Amz-Signature=a%2Fb%3D&X-Amz-Date=2026',
    ],
    ['/a b?sig=x+y/z==&se=2026-01-01T00:00:00Z', '/a%20b?sig=x+y/z==&se=2026-01-01T00:00:00Z'],
    ['/é[1]?q=*', '/%C3%A9%5B1%5D?q=*'],
    ['/t?', '/t'], // an empty query is none
    ['/t?a=1?b=2#c', '/t?a=1?b=2%23c'],
    ['/100%25?x=%25', '/100%25?x=%25'],
  ])('the server of %s receives %s', async (path, received) => {
    server.style.headStatus = 403;
    server.files.set(received, bytes);
    expect(isPattern(`/http/${server.host}${path}`)).toBe(false);
    const { generation } = await store.stat(`${server.host}${path}`);
    let length = 0;
    for await (const chunk of store.read(`${server.host}${path}`, { generation }))
      length += chunk.length;
    expect(length).toBe(bytes.length);
  });

  test('a presigned URL is read, and its question mark is not a glob character', async () => {
    server.style.headStatus = 403;
    const path = `${server.host}/trace?X-Amz-Signature=a%2Fb&list=[1,2]*`;
    server.files.set('/trace?X-Amz-Signature=a%2Fb&list=%5B1,2%5D*', bytes);
    expect(isPattern(`/http/${path}`)).toBe(false);
    expect((await store.stat(path)).size).toBe(bytes.length);
    server.style.headStatus = 404;
    await expect(store.stat(`${server.host}/none?a=*`)).rejects.toMatchObject({
      code: 'trace_not_found',
    });
  });
});

describe('allowed hosts', () => {
  let server: FileServer;
  let other: FileServer;
  beforeAll(async () => {
    server = await startFileServer();
    other = await startFileServer();
    for (const { files } of [server, other]) files.set('/trace', Buffer.from('trace'));
  });
  afterAll(async () => {
    await server.close();
    await other.close();
  });
  const statWith = async (hosts: string[], path: string, allowPrivate = true) => {
    const store = httpStore('http', { hosts, allowPrivate });
    try {
      return await store.stat(path);
    } finally {
      store.close?.();
    }
  };

  test('the store contacts only allowed hosts, and only on their allowed ports', async () => {
    expect((await statWith([server.host], `${server.host}/trace`)).size).toBe(5);
    for (const hosts of [[], ['127.0.0.1'], [other.host], ['*.0.0.1']])
      await expect(statWith(hosts, `${server.host}/trace`)).rejects.toThrow(
        `host ${server.host} is not allowed; --http-hosts of the workers lists the allowed hosts`,
      );
  });

  test('the store refuses private addresses in every notation', async () => {
    const port = server.host.split(':')[1];
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '0x7f.1',
      '2130706433',
      '[::ffff:127.0.0.1]',
    ]) {
      const allowed = [`${host}:${port}`, `127.0.0.1:${port}`, `[::ffff:7f00:1]:${port}`];
      const code = await codeOf(statWith(allowed, `${host}:${port}/trace`, false));
      expect([host, code]).toEqual([host, 'forbidden']);
    }
  });

  test.each([
    ['another server', () => `http://${other.host}/trace`, 'forbidden'],
    ['a cloud’s metadata', () => 'http://169.254.169.254/latest', 'forbidden'],
    ['a file', () => 'file:///etc/passwd', 'forbidden'],
    ['itself', () => '/trace', 5],
    ['itself for ever', () => '/moved', 'store_failed'],
  ])('not by redirects: to %s', async (_, location, expected) => {
    const proxy = await startFaultyProxy(server.host);
    const store = httpStore('http', { hosts: [proxy.host, other.host], allowPrivate: true });
    const redirect = { kind: 'status', status: 302, headers: { location: location() } } as const;
    if (expected === 'store_failed') proxy.always = redirect;
    else proxy.faults = [redirect];
    const stat = store.stat(`${proxy.host}/moved`);
    if (typeof expected === 'number') expect((await stat).size).toBe(expected);
    else expect(await codeOf(stat)).toBe(expected);
    store.close?.();
    await proxy.close();
  });

  test.each(['user:secret@host/x', 'ho st/x', '/x', '%zz/x', 'a\udcff/x'])(
    'the path %j is an invalid address',
    async (path) => {
      expect(await codeOf(statWith(['host'], path))).toBe('invalid_address');
    },
  );

  test('listing a pattern fails with a message that names the store', async () => {
    const store = httpStore('http', { hosts: [server.host], allowPrivate: true });
    const listing = (async () => {
      for await (const _ of store.list(`${server.host}/*`));
    })();
    await expect(listing).rejects.toThrow(
      'the trace does not exist, and /http cannot list traces by pattern',
    );
  });
});
