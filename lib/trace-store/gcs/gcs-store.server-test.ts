import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Storage } from '@google-cloud/storage';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { codeOf, storeContract } from '../testing/contract.ts';
import { storeFaults } from '../testing/faults.ts';
import { startFaultyProxy } from '../testing/faulty-proxy.ts';
import { listen } from '../testing/listen.ts';
import { BUCKET, startGcs } from '../testing/real-servers.ts';
import type { TraceStore } from '../trace-store.ts';
import { gcsStore } from './gcs-store.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const open = async () => {
  const server = await startGcs();
  const bucket = new Storage({ projectId: 'test', apiEndpoint: `http://${server.host}` }).bucket(
    BUCKET,
  );
  return {
    server,
    put: async (name: string, bytes: Uint8Array): Promise<void> => {
      await bucket.file(name).save(Buffer.from(bytes), { resumable: false, validation: false });
    },
  };
};

storeContract('gcs', {
  names: ['back\\slash.pftrace', 'tab\t.pftrace', 'a//b'],
  async open() {
    const { server, put } = await open();
    return {
      store: gcsStore({ endpoint: `http://${server.host}`, anonymous: true }),
      pathOf: (name) => `${BUCKET}/o/${name}`,
      put,
      close: () => server.close(),
    };
  },
});

storeFaults('gcs', {
  refusals: [
    {
      status: 403,
      body: '{"error":{"code":403,"message":"Anonymous caller does not have storage.objects.get access."}}',
      code: 'forbidden',
      message:
        'the store denied access to the trace: 403 Anonymous caller does not have storage.objects.get access.',
    },
    {
      status: 401,
      body: '{"error":{"code":401,"message":"Invalid Credentials"}}',
      code: 'unauthenticated',
      message: 'the store rejected the credentials: 401 Invalid Credentials',
    },
  ],
  async open() {
    const { server, put } = await open();
    return {
      upstream: server.host,
      through: (host) => gcsStore({ endpoint: `http://${host}`, anonymous: true }),
      pathOf: (name) => `${BUCKET}/o/${name}`,
      put,
      close: () => server.close(),
    };
  },
});

describe('object names', () => {
  test('a URL-encoded name finds the decoded object unless an object has the literal name', async () => {
    const { server, put } = await open();
    onTestFinished(() => server.close());
    const store = gcsStore({ endpoint: `http://${server.host}`, anonymous: true });
    const read = async (path: string): Promise<string> => {
      const { generation } = await store.stat(path);
      const chunks: Uint8Array[] = [];
      for await (const chunk of store.read(path, { generation })) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    await put('dir/a b', Buffer.from('decoded'));
    expect(await read(`${BUCKET}/o/dir%2Fa%20b`)).toBe('decoded');
    await put('dir%2Fa%20b', Buffer.from('plain'));
    expect(await read(`${BUCKET}/o/dir%2Fa%20b`)).toBe('plain');
    expect(await codeOf(store.stat(`${BUCKET}/o/no%2Fsuch`))).toBe('trace_not_found');
    store.close?.();
  });
});

test('a read returns the compressed bytes of an object that is stored compressed', async () => {
  const server = await startGcs();
  onTestFinished(() => server.close());
  const compressed = gzipSync(Buffer.alloc(100_000, 'trace'));
  await new Storage({ projectId: 'test', apiEndpoint: `http://${server.host}` })
    .bucket(BUCKET)
    .file('zipped')
    .save(compressed, { resumable: false, metadata: { contentEncoding: 'gzip' } });
  const store = gcsStore({ endpoint: `http://${server.host}`, anonymous: true });
  const { size, generation } = await store.stat(`${BUCKET}/o/zipped`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.read(`${BUCKET}/o/zipped`, { generation })) chunks.push(chunk);
  expect(Buffer.concat(chunks).equals(compressed)).toBe(true);
  expect(size).toBe(compressed.length);
  store.close?.();
});

const statAt = async (store: TraceStore): Promise<unknown> => {
  try {
    return (await store.stat(`${BUCKET}/o/there`)).size;
  } finally {
    store.close?.();
  }
};

/**
 * Sets Application Default Credentials of an external account, whose token service is a local server.
 * @param status the HTTP status of the token service's responses
 * @param tokens the JSON body of these responses
 */
const useTokenService = async (status: number, tokens: object): Promise<void> => {
  const service = await listen(
    createServer((request, response) => {
      request.resume();
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(tokens));
    }),
  );
  onTestFinished(() => service.close());
  const directory = await mkdtemp(join(tmpdir(), 'bigtrace-gcs-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const [file, subject] = [join(directory, 'credentials.json'), join(directory, 'subject')];
  await writeFile(subject, 'subject-token');
  const credentials = {
    type: 'external_account',
    audience: '//iam.googleapis.com/test',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `http://${service.host}/token`,
    credential_source: { file: subject },
  };
  await writeFile(file, JSON.stringify(credentials));
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
};

describe('STORAGE_EMULATOR_HOST', () => {
  test.each([
    ['without', ''],
    ['with', '/storage/v1'],
  ])('an emulator %s the API path in its URL is read without credentials', async (_, path) => {
    const { server, put } = await open();
    onTestFinished(() => server.close());
    await put('there', Buffer.from('there'));
    vi.stubEnv('STORAGE_EMULATOR_HOST', `http://${server.host}${path}`);
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere');
    const store = gcsStore({});
    expect(await statAt(store)).toBe(5);
    const { generation } = await store.stat(`${BUCKET}/o/there`);
    for await (const chunk of store.read(`${BUCKET}/o/there`, { generation }))
      expect(Buffer.from(chunk).toString()).toBe('there');
  });
});

describe('credentials', () => {
  test('every request carries the Application Default Credentials', async () => {
    const { server, put } = await open();
    onTestFinished(() => server.close());
    const proxy = await startFaultyProxy(server.host);
    onTestFinished(() => proxy.close());
    await put('there', Buffer.from('there'));
    await useTokenService(200, {
      access_token: 'a-token',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 3600,
    });
    const store = gcsStore({ endpoint: `http://${proxy.host}` });
    const { generation } = await store.stat(`${BUCKET}/o/there`);
    for await (const chunk of store.read(`${BUCKET}/o/there`, { generation }))
      expect(Buffer.from(chunk).toString()).toBe('there');
    for await (const batch of store.list(`${BUCKET}/o/*`)) expect(batch.length).toBe(1);
    expect(proxy.authorizations).toEqual(Array(3).fill('Bearer a-token'));
    store.close?.();
  });

  test('expired credentials fail with unauthenticated and the reason', async () => {
    await useTokenService(400, {
      error: 'invalid_grant',
      error_description: 'The subject token has expired.',
    });
    await expect(statAt(gcsStore({ endpoint: 'http://127.0.0.1:1' }))).rejects.toMatchObject({
      code: 'unauthenticated',
      message:
        'Google rejected the credentials (expired, revoked or wrong): ' +
        'Error code invalid_grant: The subject token has expired.',
    });
  });

  test('an unreadable credentials file fails with unauthenticated and the name of the file', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere');
    await expect(statAt(gcsStore({ endpoint: 'http://127.0.0.1:1' }))).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining('/nowhere'),
    });
  });

  test.each(['traces', 'o/x', 'traces/x', '/o/x', 'traces/o/', 'tr*/o/x'])(
    'the path %s is an invalid address',
    async (path) => {
      expect(await codeOf(gcsStore({ anonymous: true }).stat(path))).toBe('invalid_address');
    },
  );
});
