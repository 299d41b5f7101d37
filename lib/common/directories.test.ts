import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeDirectory, makeDirectoryLater } from './directories.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bigtrace-directories-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

describe.each([
  ['at once', async (path: string, mode?: number): Promise<void> => makeDirectory(path, mode)],
  ['later', makeDirectoryLater],
])('directories made %s', (_name, made) => {
  it('a directory is made with those above it, once or again', async () => {
    const path = join(dir, 'a', 'b', 'c');
    for (let n = 0; n < 2; n++) await made(path, 0o700);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('where the system makes none, there is an error', async () => {
    await expect(made('/proc/x', 0o700)).rejects.toMatchObject({
      code: 'invalid_option',
      message: 'cannot make the directory /proc/x (ENOENT)',
    });
    await expect(made('/proc/x/y/z')).rejects.toThrow('cannot make the directory /proc/x (ENOENT)');
  });

  it('a file in the way is an error', async () => {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    await expect(made(file)).rejects.toThrow(`cannot make the directory ${file} (EEXIST)`);
    await expect(made(join(file, 'x'))).rejects.toThrow('(ENOTDIR)');
  });
});
