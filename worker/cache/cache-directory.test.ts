/** Tests what all caches on disk have in common; what is kept and removed: snapshot-cache.test.ts, result-disk.test.ts. */
import { readdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { tempDir, testWorker } from '../testing/worker.ts';
import { CacheDirectory, type CacheDirectoryOptions } from './cache-directory.ts';

const logger = pino({ level: 'silent' });

function optionsOf(directory: string, suffix: string): CacheDirectoryOptions {
  return {
    ...{ directory, neighbours: [], bytesMax: 2 ** 20, suffix, what: 'files', logger },
    ...{ isWrong: () => false, onFailed: () => {} },
  };
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test('files and directories are private, whatever the umask', async () => {
  await using dir = await tempDir();
  const [parent, directory] = [join(dir.path, 'cache'), join(dir.path, 'cache/one')];
  for (const suffix of ['.image', '.memory', '.result', '.barred']) {
    const cache = await CacheDirectory.open(optionsOf(directory, suffix));
    expect(await cache.write('a', [Buffer.from('secret')])).toBe(true);
    expect(modeOf(cache.fileOf('a').path)).toBe('600');
  }
  expect([modeOf(parent), modeOf(directory)]).toEqual(['700', '700']);
});

test('a cache removes what it has left unfinished, and nothing of another cache in its directory', async () => {
  await using dir = await tempDir();
  const first = await CacheDirectory.open(optionsOf(dir.path, '.image'));
  const left = `${first.fileOf('b').name}.3f6c.unfinished`;
  await writeFile(join(dir.path, left), 'cut');
  let during: string[] = [];
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one');
    await CacheDirectory.open(optionsOf(dir.path, '.memory'));
    during = readdirSync(dir.path);
    yield Buffer.from('two');
  }
  expect(await first.write('a', pieces())).toBe(true);
  expect(during).toContain(left);
  expect(during.filter((name) => name.endsWith('.unfinished'))).toHaveLength(2);
  await CacheDirectory.open(optionsOf(dir.path, '.image'));
  expect(readdirSync(dir.path)).toEqual([first.fileOf('a').name]);
});

test('what a crash left of uncompressed snapshots is removed after they were switched off', async () => {
  await using dir = await tempDir();
  const memory = await CacheDirectory.open(optionsOf(dir.path, '.memory'));
  expect(await memory.write('a', [Buffer.from('whole')])).toBe(true);
  const { name } = memory.fileOf('a');
  const image = `${name.replace('.memory', '.image')}.3f6c.unfinished`;
  for (const left of [`${name}.3f6c.unfinished`, image])
    await writeFile(join(dir.path, left), 'cut');
  await using _worker = await testWorker({ cacheDir: dir.path, uncompressedBytesMax: 0 });
  expect(readdirSync(dir.path).toSorted()).toEqual([name, 'id']);
});
