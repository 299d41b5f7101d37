import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { codeOf, storeContract } from '../testing/contract.ts';
import { storeFaults } from '../testing/faults.ts';
import { startFaultyProxy } from '../testing/faulty-proxy.ts';
import { BUCKET, S3_KEYS, startS3 } from '../testing/real-servers.ts';
import { s3Store } from './s3-store.ts';

const at = (host: string) => ({
  endpoint: `http://${host}`,
  region: 'us-east-1',
  pathStyle: true,
});

/** The store reads its credentials from the environment, as AWS's tools do. */
beforeAll(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', S3_KEYS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', S3_KEYS.secretAccessKey);
});
afterAll(() => {
  vi.unstubAllEnvs();
});

const open = async () => {
  const server = await startS3();
  const client = new S3Client({
    endpoint: `http://${server.host}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: S3_KEYS,
  });
  return {
    server,
    put: async (Key: string, Body: Uint8Array): Promise<void> => {
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    },
    close: async (): Promise<void> => {
      client.destroy();
      await server.close();
    },
  };
};

storeContract('s3', {
  names: ['back\\slash.pftrace', 'tab\t.pftrace', '<xml>&amp;.pftrace'],
  async open() {
    const { server, put, close } = await open();
    return {
      store: s3Store(at(server.host)),
      pathOf: (name) => `${BUCKET}/${name}`,
      put,
      close,
    };
  },
});

const refusal = (code: string, message: string): string =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;

storeFaults('s3', {
  refusals: [
    {
      status: 400,
      body: refusal('ExpiredToken', 'The provided token has expired.'),
      code: 'unauthenticated',
      message: 'the store rejected the credentials: ExpiredToken: The provided token has expired.',
    },
    {
      status: 403,
      body: refusal('AccessDenied', 'Access Denied'),
      code: 'forbidden',
      message: 'the store denied access to the trace: 403 AccessDenied: Access Denied',
    },
  ],
  async open() {
    const { server, put, close } = await open();
    return {
      upstream: server.host,
      through: (host) => s3Store(at(host)),
      pathOf: (name) => `${BUCKET}/${name}`,
      put,
      close,
    };
  },
});

describe('credentials', () => {
  test('wrong credentials fail with unauthenticated and the name of the S3 error', async () => {
    const { server, put, close } = await open();
    onTestFinished(close);
    await put('there', Buffer.from('there'));
    const store = s3Store(at(server.host));
    expect((await store.stat(`${BUCKET}/there`)).size).toBe(5);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
    onTestFinished(() => void vi.stubEnv('AWS_SECRET_ACCESS_KEY', S3_KEYS.secretAccessKey));
    const wrong = s3Store(at(server.host));
    await expect(wrong.stat(`${BUCKET}/there`)).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringMatching(/^the store rejected the credentials: SignatureDoesNot/),
    });
    store.close?.();
    wrong.close?.();
  });

  test('an anonymous store sends no credentials', async () => {
    const { server, close } = await open();
    onTestFinished(close);
    const proxy = await startFaultyProxy(server.host);
    onTestFinished(() => proxy.close());
    const store = s3Store({ ...at(proxy.host), anonymous: true });
    expect(await codeOf(store.stat(`${BUCKET}/there`))).toBe('forbidden');
    expect(proxy.authorizations).toEqual([undefined, undefined]);
    store.close?.();
  });

  test('listing a missing bucket fails with a message about the bucket', async () => {
    const { server, close } = await open();
    onTestFinished(close);
    const store = s3Store(at(server.host));
    const listing = (async () => {
      for await (const _ of store.list('no-such-bucket/**'));
    })();
    await expect(listing).rejects.toThrow('there is no such bucket');
    store.close?.();
  });

  test.each(['traces', 'traces/', '/x', 'tr*/x'])(
    'the path %s is an invalid address',
    async (path) => {
      expect(await codeOf(s3Store({}).stat(path))).toBe('invalid_address');
    },
  );
});
