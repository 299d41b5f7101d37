/** Workers of a fleet share snapshots in a directory: what one has parsed, a fresh one fetches. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { counter, gauge, runScript, tempDir, testWorker, until } from '../../testing/worker.ts';

const CANVAS = '/local/recorded/chrome/canvas-a.pftrace';
const SQL = 'SELECT count(*) FROM slice';

function configOf(cacheDir: string, place: string, writes: boolean, bytesMax = 2 ** 30) {
  return { cacheDir, resultMemoryBytesMax: 0, sharedSnapshots: { place, writes, bytesMax } };
}

test('a fresh worker fetches what another has parsed; a damaged file is parsed again and replaced', async () => {
  await using shared = await tempDir();
  await using first = await tempDir();
  {
    await using worker = await testWorker(configOf(first.path, shared.path, true));
    expect(await runScript(worker, CANVAS, SQL)).toEqual([42382n, 'parse']);
    await until(async () => (await counter(worker, 'snapshots_shared')) === 1);
  }
  const [name = ''] = await readdir(shared.path);
  const file = join(shared.path, name);
  const bytes = await readFile(file);
  {
    await using second = await tempDir();
    await using worker = await testWorker(configOf(second.path, shared.path, false));
    expect(await runScript(worker, CANVAS, SQL)).toEqual([42382n, 'snapshot']);
    expect(await counter(worker, 'snapshots_fetched')).toBe(1);
    expect(await readdir(second.path)).toContain(name);
  }
  const damaged = Buffer.from(bytes);
  damaged[bytes.length >> 1] = (damaged[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(file, damaged);
  {
    await using third = await tempDir();
    await using worker = await testWorker(configOf(third.path, shared.path, false));
    expect(await runScript(worker, CANVAS, SQL)).toEqual([42382n, 'parse']);
    await until(async () => (await gauge(worker, 'snapshots')) === 1);
    expect(await counter(worker, 'snapshots_shared')).toBe(0); // it may not write
  }
  expect((await readFile(file)).equals(damaged)).toBe(true);
  {
    await using fourth = await tempDir();
    await using worker = await testWorker(configOf(fourth.path, shared.path, true));
    expect(await runScript(worker, CANVAS, SQL)).toEqual([42382n, 'parse']);
    await until(async () => (await counter(worker, 'snapshots_shared')) === 1);
  }
  expect((await readFile(file)).equals(bytes)).toBe(true);
});

test('a directory that cannot be read costs time only', async () => {
  await using cache = await tempDir();
  const place = join(cache.path, 'file');
  await writeFile(place, '');
  await using worker = await testWorker(configOf(join(cache.path, 'own'), place, true));
  expect(await runScript(worker, CANVAS, SQL)).toEqual([42382n, 'parse']);
  expect(await counter(worker, 'shared_snapshots_failed')).toBe(1);
  await until(async () => (await gauge(worker, 'snapshots')) === 1); // its own cache works on
});
