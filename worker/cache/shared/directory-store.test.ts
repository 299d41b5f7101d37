import { readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createTraceStores } from '../../../lib/trace-store/index.ts';
import { tempDir } from '../../testing/worker.ts';
import { DirectoryStore } from './directory-store.ts';
import { openSharedStore } from './open-shared-store.ts';

const { signal } = new AbortController();
const keep = { replace: false, signal };

/** Returns the contents of the file `a`. */
async function readAll(store: DirectoryStore): Promise<string> {
  const pieces = await store.read('a', signal);
  return pieces === undefined ? 'none' : (await buffer(pieces)).toString();
}

test('a file is kept under its name, and replaced only if that is asked for', async () => {
  await using directory = await tempDir();
  const store = new DirectoryStore({
    ...{ path: join(directory.path, 'shared'), bytesMax: 100, writes: true },
  });
  const file = join(directory.path, 'own');
  const write = async (text: string, replace: boolean): Promise<void> => {
    await writeFile(file, text);
    await store.write('a', file, { replace, signal });
  };
  expect(await readAll(store)).toBe('none');
  await write('first', false);
  await write('second', false);
  expect(await readAll(store)).toBe('first');
  await write('third', true);
  expect(await readAll(store)).toBe('third');
});

test('a shared file has the mode of a new file: its copy in the cache of the worker that wrote it is private', async () => {
  await using directory = await tempDir();
  const below = (name: string): string => join(directory.path, name);
  const [shared, file, other] = [below('shared'), below('own'), below('new')];
  const store = new DirectoryStore({ path: shared, bytesMax: 100, writes: true });
  await writeFile(file, 'x', { mode: 0o600 });
  await writeFile(other, 'x');
  await store.write('a', file, keep);
  expect((await stat(join(shared, 'a'))).mode).toBe((await stat(other)).mode);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('the least recently used files make room, and a file that is too large is not kept', async () => {
  await using directory = await tempDir();
  const shared = join(directory.path, 'shared');
  const store = new DirectoryStore({ path: shared, bytesMax: 100, writes: true });
  const file = join(directory.path, 'own');
  await writeFile(file, 'x'.repeat(40));
  await store.write('a', file, keep);
  await store.write('b', file, keep);
  for (const [name, at] of [
    ['a', 1],
    ['b', 2],
  ] as const)
    await utimes(join(shared, name), at, at);
  const reader = new DirectoryStore({ path: shared, bytesMax: 100, writes: false });
  expect(await readAll(reader)).toBe('x'.repeat(40));
  expect((await stat(join(shared, 'a'))).mtimeMs).toBe(1000); // a reader changes nothing
  expect(await readAll(store)).toBe('x'.repeat(40));
  await store.write('c', file, keep);
  expect((await readdir(shared)).sort()).toEqual(['a', 'c']);
  await writeFile(file, 'x'.repeat(101));
  await store.write('d', file, keep);
  expect((await readdir(shared)).sort()).toEqual(['a', 'c']);
});

test('files of other kinds are neither counted nor removed', async () => {
  await using directory = await tempDir();
  const store = new DirectoryStore({ path: directory.path, bytesMax: 100, writes: true });
  const trace = join(directory.path, 'a.pftrace');
  await writeFile(trace, 'x'.repeat(90));
  await utimes(trace, 1, 1);
  await store.write('a.image', trace, keep);
  await store.write('b.image', trace, keep);
  expect((await readdir(directory.path)).sort()).toEqual(['a.pftrace', 'b.image']);
});

test('--shared-snapshots names a bucket or a directory', () => {
  const open = (place: string) =>
    openSharedStore({ place, writes: false, bytesMax: 1 }, createTraceStores({}), {});
  expect(open('/var/shared')).toBeInstanceOf(DirectoryStore);
  for (const place of ['/gcs/b/o', '/gcs/b/o/a/b', '/s3/b', '/s3/b/a/'])
    expect(open(place)).not.toBeInstanceOf(DirectoryStore);
  for (const place of ['shared', '/gcs/b', '/gcs/b/a', '/s3', '/s3/'])
    expect(() => open(place)).toThrow(
      `--shared-snapshots is ${place}; it must be /gcs/BUCKET/o/PREFIX, /s3/BUCKET/PREFIX, or the absolute path of a directory`,
    );
});
