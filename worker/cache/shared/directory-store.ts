/**
 * Shares snapshots in a directory, such as a volume that all workers mount. Those who may write remove the least recently
 * used files, so that all stay within a size.
 */
import { createReadStream } from 'node:fs';
import { chmod, copyFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { makeDirectoryLater } from '../../../lib/common/directories.ts';
import type { SharedStore, WriteOptions } from './shared-store.ts';

export interface DirectoryOptions {
  path: string;
  /** Maximum size of all files. */
  bytesMax: number;
  /** Whether this worker writes; if not, it does not set the time of last use either. */
  writes: boolean;
}

const UNFINISHED = '.unfinished';
/** A file that a killed worker left unfinished is removed after this time. */
const UNFINISHED_MS_MAX = 3_600_000;

interface StoredFile {
  path: string;
  bytes: number;
  usedMs: number;
}

export class DirectoryStore implements SharedStore {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  async read(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    const path = join(this.#options.path, name);
    try {
      if (!(await stat(path)).isFile()) return undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    const now = new Date();
    if (this.#options.writes) await utimes(path, now, now).catch(() => undefined);
    return createReadStream(path, { signal });
  }

  async write(name: string, path: string, { replace, signal }: WriteOptions): Promise<void> {
    const { path: directory, bytesMax } = this.#options;
    await makeDirectoryLater(directory);
    const target = join(directory, name);
    const files = await this.#files(extname(name));
    const { size } = await stat(path);
    if (size > bytesMax || (!replace && files.some((file) => file.path === target))) return;
    const others = files.filter((file) => file.path !== target);
    await makeRoom(others, bytesMax - size);
    const unfinished = join(directory, `${name}.${crypto.randomUUID()}${UNFINISHED}`);
    try {
      await copyForAll(path, unfinished);
      signal.throwIfAborted();
      await rename(unfinished, target);
    } finally {
      await rm(unfinished, { force: true });
    }
  }

  /** Returns the files with this suffix and the unfinished ones: others are neither counted nor removed. */
  async #files(suffix: string): Promise<StoredFile[]> {
    const { path: directory } = this.#options;
    const files: StoredFile[] = [];
    for (const name of await readdir(directory)) {
      if (extname(name) !== suffix && extname(name) !== UNFINISHED) continue;
      const path = join(directory, name);
      const file = await stat(path).catch(() => undefined); // another worker has removed it
      if (file?.isFile() !== true) continue;
      if (name.endsWith(UNFINISHED) && Date.now() - file.mtimeMs > UNFINISHED_MS_MAX)
        await rm(path, { force: true });
      else files.push({ path, bytes: file.size, usedMs: file.mtimeMs });
    }
    return files;
  }

  close(): void {}
}

/** Copies a file without its mode: a worker's own snapshots are private, but workers of other users read the shared ones. */
async function copyForAll(from: string, to: string): Promise<void> {
  await writeFile(to, '');
  const { mode } = await stat(to);
  await copyFile(from, to);
  await chmod(to, mode).catch(() => undefined); // a file system without modes may refuse it
}

/** Removes the least recently used files until all together have at most `bytesMax`. */
async function makeRoom(files: StoredFile[], bytesMax: number): Promise<void> {
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { path, bytes } of [...files].sort((one, other) => one.usedMs - other.usedMs)) {
    if (total <= bytesMax) return;
    await rm(path, { force: true });
    total -= bytes;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
