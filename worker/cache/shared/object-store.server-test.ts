/** Shared snapshots in real servers for GCS and S3: one worker writes, a fresh one fetches. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import { createTraceStores, type StoreOptions } from '../../../lib/trace-store/index.ts';
import {
  BUCKET,
  S3_KEYS,
  startGcs,
  startS3,
} from '../../../lib/trace-store/testing/real-servers.ts';
import {
  counter,
  runScript,
  tempDir,
  testConfig,
  testWorker,
  until,
} from '../../testing/worker.ts';
import { openSharedStore } from './open-shared-store.ts';

const CANVAS = '/local/recorded/chrome/canvas-a.pftrace';

async function start(name: 'gcs' | 's3') {
  if (name === 'gcs') {
    const server = await startGcs();
    const options: StoreOptions = {
      gcs: { endpoint: `http://${server.host}`, anonymous: true },
    };
    return { server, options, place: `/gcs/${BUCKET}/o/snapshots` };
  }
  const server = await startS3();
  vi.stubEnv('AWS_ACCESS_KEY_ID', S3_KEYS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', S3_KEYS.secretAccessKey);
  const options: StoreOptions = {
    s3: { endpoint: `http://${server.host}`, region: 'us-east-1', pathStyle: true },
  };
  return { server, options, place: `/s3/${BUCKET}/snapshots` };
}

test.each(['gcs', 's3'] as const)('%s keeps shared snapshots', async (name) => {
  await using directory = await tempDir();
  const { server, options, place } = await start(name);
  try {
    const stores = createTraceStores(options);
    const store = openSharedStore({ place, writes: true, bytesMax: 0 }, stores, options);
    const { signal } = new AbortController();
    const text = async (): Promise<string> => {
      const pieces = await store.read('a', signal);
      return pieces === undefined ? 'none' : (await buffer(pieces)).toString();
    };
    const write = async (content: string, replace: boolean): Promise<void> => {
      const file = join(directory.path, 'file');
      await writeFile(file, content);
      await store.write('a', file, { replace, signal });
    };
    expect(await text()).toBe('none');
    await write('first', false);
    await write('second', false);
    expect(await text()).toBe('first');
    await write('third', true);
    expect(await text()).toBe('third');
    store.close();

    const { stores: local } = await testConfig();
    const config = (cacheDir: string) => ({
      ...{ cacheDir, resultMemoryBytesMax: 0, stores: { ...local, ...options } },
      sharedSnapshots: { place, writes: true, bytesMax: 0 },
    });
    {
      await using worker = await testWorker(config(join(directory.path, 'one')));
      expect((await runScript(worker, CANVAS, 'SELECT count(*) FROM slice'))[1]).toBe('parse');
      await until(async () => (await counter(worker, 'snapshots_shared')) === 1);
    }
    await using worker = await testWorker(config(join(directory.path, 'other')));
    expect(await runScript(worker, CANVAS, 'SELECT count(*) FROM slice')).toEqual([
      42382n,
      'snapshot',
    ]);
  } finally {
    vi.unstubAllEnvs();
    await server.close();
  }
});
