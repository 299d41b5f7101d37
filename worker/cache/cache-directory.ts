/**
 * Keeps recreatable files in one directory, up to a total size; when space is needed, the least recently used
 * files are removed first. Failures cost time, never a result: they are logged and counted, and the value is
 * computed again. A directory must be used by one worker only, which may keep several caches there with different suffixes.
 */
import { createHash, randomUUID } from 'node:crypto';
import { access, lstat, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectoryLater } from '../../lib/common/directories.ts';
import type { Logger } from '../../lib/common/observability/log.ts';

export interface CacheDirectoryOptions {
  /** Path of the directory; undefined: nothing is kept. */
  directory: string | undefined;
  /** Directories of other workers: their files are read, but never written or removed. */
  neighbours: readonly string[];
  /** Maximum total size of the files, in whole blocks of 4096 bytes. */
  bytesMax: number;
  /** Suffix of the file names, such as `.image`. */
  suffix: string;
  /** Plural noun for log messages, such as `snapshots`. */
  what: string;
  /**
   * Returns whether an error of `decode` means that the file is damaged or of another format. Only then is
   * the file removed.
   */
  isWrong: (error: unknown) => boolean;
  /** Called for every failure to read, write or remove in the directory itself. */
  onFailed: () => void;
  logger: Logger;
}

/** File sizes are rounded up to this block size, in bytes. */
const BLOCK_BYTES = 4096;
/** Maximum number of parallel lstat() calls while the directory is scanned. */
const LSTATS_MAX = 256;
const UNFINISHED_SUFFIX = '.unfinished';
/** After a failed write, no write is attempted for this time. */
const RETRY_MS = 60_000;
const TOO_LARGE_MAX = 10_000;

/** The pieces of a file that was to be written could not be had: no failure of the directory. */
export class PiecesFailed extends Error {}

export class CacheDirectory {
  readonly #options: CacheDirectoryOptions;
  /** Size in bytes of each file by name, least recently used first. */
  readonly #files = new Map<string, number>();
  /** Sum of the sizes in #files. */
  #bytes = 0;
  /** Time (performance.now()) from which writes are attempted again. */
  #writableFrom = 0;
  /** Whether the current failure has been logged. */
  #failureLogged = false;
  /** Whether the files that an earlier worker left are counted. */
  #takenOver = false;
  /** Names of files that exceeded the maximum size; they are not written again. */
  readonly #tooLarge = new Set<string>();

  private constructor(options: CacheDirectoryOptions) {
    this.#options = options;
  }

  /**
   * Opens the directory and takes over the files that an earlier worker left there. Never rejects: failures
   * are logged.
   */
  static async open(options: CacheDirectoryOptions): Promise<CacheDirectory> {
    const cache = new CacheDirectory(options);
    await cache.#takeOver().catch((error: unknown) => cache.#recordFailure(error));
    return cache;
  }

  get size(): number {
    return this.#files.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether writes are attempted now: there is a directory, and no write failed in the last RETRY_MS. */
  get writable(): boolean {
    const { directory, bytesMax } = this.#options;
    return directory !== undefined && bytesMax > 0 && performance.now() >= this.#writableFrom;
  }

  has(key: string): boolean {
    return this.#files.size > 0 && this.#files.has(this.#nameOf(key));
  }

  /** Returns the name and the path of the file of `key`, whether or not it exists. */
  fileOf(key: string): { name: string; path: string } {
    const name = this.#nameOf(key);
    return { name, path: this.#path(name) };
  }

  /**
   * Returns the path of the file of `key` in another worker's directory, except paths for which `isExcluded`
   * returns true.
   */
  async atNeighbour(
    key: string,
    isExcluded = (_path: string) => false,
  ): Promise<string | undefined> {
    const { neighbours } = this.#options;
    if (neighbours.length === 0) return undefined;
    const name = this.#nameOf(key);
    for (const directory of neighbours) {
      const path = join(directory, name);
      if (!isExcluded(path) && (await exists(path))) return path;
    }
    return undefined;
  }

  /**
   * Returns whether a file of `key` should be written: it is missing, and it did not exceed the maximum size before.
   */
  wants(key: string): boolean {
    if (!this.writable) return false;
    const name = this.#nameOf(key);
    return !this.#files.has(name) && !this.#tooLarge.has(name);
  }

  /** Whether a file of so many bytes can be written without removing another. */
  hasRoom(bytes: number): boolean {
    return this.#bytes + onDisk(bytes) <= this.#options.bytesMax;
  }

  /** Records that the value of `key` was used, without reading its file. */
  use(key: string): void {
    const name = this.#nameOf(key);
    this.#use(name, this.#path(name));
  }

  /**
   * Reads the file of `key` with `decode`; resolves to undefined if there is no file. A damaged file
   * (`isWrong`) is removed; a file that cannot be read at the moment (EMFILE, EIO) is kept.
   * @throws what `decode` throws
   */
  async read<Value>(
    key: string,
    decode: (path: string) => Promise<Value>,
  ): Promise<Value | undefined> {
    const name = this.#nameOf(key);
    if (!this.#files.has(name)) return undefined;
    const value = await this.#decoded(name, decode);
    this.#use(name, this.#path(name));
    return value;
  }

  /** Reads all files with `decode`. Files for which it throws are skipped, and removed if they are damaged. */
  async readAll<Value>(decode: (path: string) => Promise<Value>): Promise<Value[]> {
    const values: Value[] = [];
    for (const name of [...this.#files.keys()]) {
      const value = await this.#decoded(name, decode).catch(() => undefined);
      if (value !== undefined) values.push(value);
    }
    return values;
  }

  async #decoded<Value>(name: string, decode: (path: string) => Promise<Value>): Promise<Value> {
    const path = this.#path(name);
    try {
      return await decode(path);
    } catch (error) {
      if (this.#options.isWrong(error)) await this.#remove(name);
      else if (await isGone(path)) this.#forget(name);
      throw error;
    }
  }

  /** Removes the file of `key` if there is one. */
  async remove(key: string): Promise<void> {
    const name = this.#nameOf(key);
    if (this.#files.has(name)) await this.#remove(name);
  }

  /**
   * Writes a file for `key` and removes the least recently used files to make space. Never rejects.
   * @returns whether the file was written
   */
  async write(
    key: string,
    pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean> {
    const { directory, bytesMax, what, logger } = this.#options;
    if (directory === undefined || !this.writable) return false;
    const name = this.#nameOf(key);
    const unfinished = this.#path(`${name}.${randomUUID()}${UNFINISHED_SUFFIX}`);
    try {
      if (!this.#takenOver) await this.#takeOver();
      await makeDirectoryLater(directory, 0o700);
      const written = await writeBounded(unfinished, pieces, bytesMax);
      const bytes = onDisk(written ?? 0);
      if (written === undefined || bytes > bytesMax) {
        this.#rememberTooLarge(name);
        return false;
      }
      this.#forget(name);
      await this.#makeRoom(bytes);
      await rename(unfinished, this.#path(name));
      this.#forget(name); // another write of this file may have ended meanwhile
      this.#files.set(name, bytes);
      this.#bytes += bytes;
      await this.#makeRoom(0); // others, too, may have made room for one file each
      if (this.#failureLogged) logger.info({ directory }, `${what} are kept on disk again`);
      this.#failureLogged = false;
      return true;
    } catch (error) {
      if (error instanceof PiecesFailed) return false;
      this.#recordFailure(error);
      this.#writableFrom = performance.now() + RETRY_MS;
      return false;
    } finally {
      await rm(unfinished, { force: true }).catch(() => {});
    }
  }

  async #takeOver(): Promise<void> {
    const { directory, suffix } = this.#options;
    if (directory === undefined) return;
    await makeDirectoryLater(directory, 0o700);
    const names = await readdir(directory);
    for (const name of names) if (isUnfinished(name, suffix)) await this.#remove(name);
    const fileNames = names.filter((name) => name.endsWith(suffix));
    const infos: FoundFile[] = [];
    while (fileNames.length > 0) {
      const files = await Promise.all(
        fileNames.splice(-LSTATS_MAX).map((name) => this.#fileInfo(name)),
      );
      infos.push(...files.filter((file) => file !== undefined));
    }
    infos.sort((one, other) => one.usedMs - other.usedMs);
    for (const { name, size } of infos) {
      if (this.#files.has(name)) continue;
      this.#files.set(name, size);
      this.#bytes += size;
    }
    this.#takenOver = true;
    await this.#makeRoom(0);
  }

  async #fileInfo(name: string): Promise<FoundFile | undefined> {
    try {
      const file = await lstat(this.#path(name));
      // Only regular files count: opening a FIFO would block forever.
      return file.isFile() ? { name, size: onDisk(file.size), usedMs: file.mtimeMs } : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Moves the file to the end of the order, and sets its mtime, from which the next worker reads the order. */
  #use(name: string, path: string): void {
    const size = this.#files.get(name);
    if (size === undefined) return;
    this.#files.delete(name);
    this.#files.set(name, size);
    const now = new Date();
    utimes(path, now, now).catch(() => {}); // fails in a read-only directory; then the order is lost at a restart
  }

  /** Removes the least recently used files until `bytes` more fit. */
  async #makeRoom(bytes: number): Promise<void> {
    for (const oldest of this.#files.keys()) {
      if (this.#bytes + bytes <= this.#options.bytesMax) return;
      await this.#remove(oldest);
    }
  }

  async #remove(name: string): Promise<void> {
    this.#forget(name);
    await rm(this.#path(name), { force: true }).catch((error: unknown) =>
      this.#recordFailure(error),
    );
  }

  #rememberTooLarge(name: string): void {
    const [oldest] = this.#tooLarge;
    if (this.#tooLarge.size >= TOO_LARGE_MAX && oldest !== undefined) this.#tooLarge.delete(oldest);
    this.#tooLarge.add(name);
  }

  #forget(name: string): void {
    this.#bytes -= this.#files.get(name) ?? 0;
    this.#files.delete(name);
  }

  /** Returns the file name of `key`; it is the same in the directories of other workers. */
  #nameOf(key: string): string {
    return createHash('sha256').update(key).digest('hex') + this.#options.suffix;
  }

  #path(name: string): string {
    return join(this.#options.directory ?? '', name);
  }

  /**
   * Counts the failure, and logs it unless the previous one was logged without a success since: a full disk
   * fails repeatedly.
   */
  #recordFailure(error: unknown): void {
    const { what, onFailed, logger } = this.#options;
    onFailed();
    if (this.#failureLogged) return;
    this.#failureLogged = true;
    logger.warn({ err: error }, `${what} cannot be kept on disk`);
  }
}

interface FoundFile {
  name: string;
  /** Size on disk in bytes, in whole blocks. */
  size: number;
  /** Time of last use (mtime), in milliseconds since the epoch. */
  usedMs: number;
}

/** Whether a write of the cache with this suffix made the file: other caches may be writing theirs in the same directory. */
function isUnfinished(name: string, suffix: string): boolean {
  return name.includes(`${suffix}.`) && name.endsWith(UNFINISHED_SUFFIX);
}

/** Removes what an earlier worker has not finished of a cache that is not opened any more. Never rejects. */
export async function removeUnfinished(directory: string, suffix: string): Promise<void> {
  const names = await readdir(directory).catch(() => []); // the caches that use the directory log failures
  for (const name of names)
    if (isUnfinished(name, suffix))
      await rm(join(directory, name), { force: true }).catch(() => {});
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Returns whether another process has removed the file. */
async function isGone(path: string): Promise<boolean> {
  return lstat(path).then(() => false, isMissing);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Rounds a size in bytes up to whole blocks. */
function onDisk(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** Writes a file of at most `bytesMax` bytes. @returns the bytes written; undefined if there were more */
async function writeBounded(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  bytesMax: number,
): Promise<number | undefined> {
  const file = await open(path, 'w', 0o600);
  try {
    let bytes = 0;
    for await (const piece of pieces) {
      bytes += piece.byteLength;
      if (bytes > bytesMax) return undefined;
      await file.writeFile(piece);
    }
    return bytes;
  } finally {
    await file.close();
  }
}
