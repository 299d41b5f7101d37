import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createTraceStores } from './index.ts';
import { codeOf } from './testing/contract.ts';
import { startFaultyProxy } from './testing/faulty-proxy.ts';
import { startFileServer } from './testing/file-server.ts';

test('an error names the trace and quotes the store’s response', async () => {
  const server = await startFileServer();
  onTestFinished(() => server.close());
  const proxy = await startFaultyProxy(server.host);
  onTestFinished(() => proxy.close());
  const stores = createTraceStores({ http: { hosts: [proxy.host], allowPrivate: true } });
  onTestFinished(() => stores.close());
  const address = `/http/${proxy.host}/trace`;
  proxy.always = { kind: 'status', status: 401 };
  await expect(stores.stat(address)).rejects.toThrow(
    `[${address}]: the store rejected the credentials: 401 Unauthorized`,
  );
});

test('an address of a store that is not configured is an invalid address', async () => {
  const stores = createTraceStores({ s3: {}, gcs: {} });
  for (const address of ['/local/x', '/http/host/x'])
    await expect(stores.stat(address)).rejects.toThrow(
      `[${address}]: there is no store /${address.split('/')[1]}/; this worker has /gcs/, /s3/`,
    );
  expect(await codeOf(createTraceStores({}).stat('/gcs/b/o/x'))).toBe('invalid_address');
});

test('the counters count requests, failures, bytes and traces', async () => {
  const root = await mkdtemp(join(tmpdir(), 'bigtrace-stores-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await writeFile(join(root, 'a'), 'trace');
  const stores = createTraceStores({ localRoot: root });
  const counts = stores.counters.get('local');
  for await (const { address, generation } of stores.list('/local/*'))
    for await (const _ of stores.read(address, { generation })) expect(counts?.inFlight).toBe(2);
  expect(await codeOf(stores.stat('/local/b'))).toBe('trace_not_found');
  expect(await codeOf(stores.stat('/local/../b'))).toBe('forbidden');
  expect(counts).toEqual({
    stats: 3, // listing the pattern does one: a trace may have the pattern as its literal name
    reads: 1,
    lists: 1,
    failures: 1,
    retries: 0,
    readBytes: 5,
    listedTraces: 1,
    inFlight: 0,
  });
});
