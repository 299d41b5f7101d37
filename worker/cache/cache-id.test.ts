import { statSync } from 'node:fs';
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../testing/worker.ts';
import { cacheId } from './cache-id.ts';

test('a directory keeps its ID, and each directory has another one', async () => {
  await using one = await tempDir();
  await using other = await tempDir();
  const id = await cacheId(join(one.path, 'images'));
  expect(id).toMatch(/^[\da-f-]{36}$/);
  expect(await cacheId(join(one.path, 'images'))).toBe(id);
  expect(await cacheId(other.path)).not.toBe(id);
});

test('the directory and its ID are private, whatever the umask', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, 'images');
  await cacheId(path);
  const modes = [path, join(path, 'id')].map((each) => statSync(each).mode & 0o777);
  expect(modes).toEqual([0o700, 0o600]);
});

test('a truncated ID is replaced', async () => {
  await using dir = await tempDir();
  await writeFile(join(dir.path, 'id'), 'abc');
  const id = await cacheId(dir.path);
  expect(id).toHaveLength(36);
  expect(await readFile(join(dir.path, 'id'), 'utf8')).toBe(id);
});

test('an ID that cannot be read at the moment is not replaced', async () => {
  await using dir = await tempDir();
  const path = join(dir.path, 'cache');
  const id = await cacheId(path);
  await mkdir(join(dir.path, 'aside'));
  await rename(join(path, 'id'), join(dir.path, 'aside/id'));
  await symlink('id', join(path, 'id')); // a loop: opening it fails with ELOOP
  expect(await cacheId(path)).toBe('');
  await rename(join(dir.path, 'aside/id'), join(path, 'id'));
  expect(await cacheId(path)).toBe(id);
});

test('a directory that cannot be written has no ID', async () => {
  await using dir = await tempDir();
  await writeFile(join(dir.path, 'file'), '');
  expect(await cacheId(join(dir.path, 'file', 'below'))).toBe('');
  expect(await cacheId(undefined)).toBe('');
});
