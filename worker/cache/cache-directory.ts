/**
 * A directory of files that can be made again, within a bound of bytes; the longest unused go first. It is
 * a cache: whatever fails with it costs time, never an answer. A directory belongs to one worker.
 */
import { createHash } from 'node:crypto';
import { access, lstat, mkdir, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../lib/common/observability/log.ts';

export interface CacheDirectoryOptions {
  /** Without one nothing is kept. */
  directory: string | undefined;
  /** Directories of other workers: what they keep is used, but neither written nor removed. */
  neighbours: readonly string[];
  bytesMax: number;
  /** How names of its files end: `.image`. */
  suffix: string;
  /** What its files are, for people: `images of traces`. */
  what: string;
  /** Whether an error of `decode` says that a file's digest or format is wrong. Only then is the file removed. */
  isWrong: (error: unknown) => boolean;
  /** Called at every failure of the directory itself. */
  onFailed: () => void;
  logger: Logger;
}

/** A file takes whole blocks. */
const BLOCK_BYTES = 4096;
/** Files looked at together at the start. */
const LOOKS = 256;
const UNFINISHED_SUFFIX = '.unfinished';
/** Delay before retrying after a write error. */
const RETRY_MS = 60_000;
const TOO_LARGE_MAX = 10_000;

export class CacheDirectory {
  readonly #options: CacheDirectoryOptions;
  /** Name of the file to its size, in order of last use. */
  readonly #files = new Map<string, number>();
  #bytes = 0;
  #writableFrom = 0;
  #complained = false;
  /** Whether the files of an earlier worker are counted. */
  #takenOver = false;
  /** Names of what was larger than the bound: to write it again would be for nothing. */
  readonly #tooLarge = new Set<string>();

  private constructor(options: CacheDirectoryOptions) {
    this.#options = options;
  }

  /** Takes over what an earlier worker has left in the directory. */
  static async open(options: CacheDirectoryOptions): Promise<CacheDirectory> {
    const cache = new CacheDirectory(options);
    await cache.#takeOver().catch((error: unknown) => cache.#complain(error));
    return cache;
  }

  get size(): number {
    return this.#files.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether something could be written now. */
  get writable(): boolean {
    const { directory, bytesMax } = this.#options;
    return directory !== undefined && bytesMax > 0 && performance.now() >= this.#writableFrom;
  }

  has(key: string): boolean {
    return this.#files.has(this.#nameOf(key));
  }

  /** Path of the file of `key` that a neighbour has, and that is not to be left out. */
  async atNeighbour(
    key: string,
    isLeftOut = (_path: string) => false,
  ): Promise<string | undefined> {
    const { neighbours } = this.#options;
    if (neighbours.length === 0) return undefined;
    const name = this.#nameOf(key);
    for (const directory of neighbours) {
      const path = join(directory, name);
      if (!isLeftOut(path) && (await exists(path))) return path;
    }
    return undefined;
  }

  /** Whether the file of `key` is to be written. */
  wants(key: string): boolean {
    const name = this.#nameOf(key);
    return this.writable && !this.#files.has(name) && !this.#tooLarge.has(name);
  }

  /** That what the file of `key` says was used, without a look into it. */
  use(key: string): void {
    const name = this.#nameOf(key);
    this.#use(name, this.#path(name));
  }

  /**
   * What `decode` makes of the file of `key`; undefined where there is none. A file that is wrong is removed; one
   * that cannot be read now (EMFILE, EIO) stays.
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

  /** What `decode` makes of each file; those that it throws for are left out, and removed if they are wrong. */
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

  /** Removes the file of `key`, if there is one. */
  async remove(key: string): Promise<void> {
    const name = this.#nameOf(key);
    if (this.#files.has(name)) await this.#remove(name);
  }

  /** Keeps a file for `key`, if there is a place for it. @returns whether it does */
  async write(
    key: string,
    pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean> {
    const { directory, bytesMax, what, logger } = this.#options;
    if (directory === undefined || !this.writable) return false;
    const name = this.#nameOf(key);
    const unfinished = this.#path(`${name}.${process.pid}${UNFINISHED_SUFFIX}`);
    try {
      if (!this.#takenOver) await this.#takeOver();
      await mkdir(directory, { recursive: true });
      const written = await writeBounded(unfinished, pieces, bytesMax);
      const bytes = onDisk(written ?? 0);
      if (written === undefined || bytes > bytesMax) {
        this.#rememberTooLarge(name);
        return false;
      }
      this.#forget(name);
      await this.#makePlace(bytes);
      await rename(unfinished, this.#path(name));
      this.#files.set(name, bytes);
      this.#bytes += bytes;
      if (this.#complained) logger.info({ directory }, `${what} are kept on disk again`);
      this.#complained = false;
      return true;
    } catch (error) {
      this.#complain(error);
      this.#writableFrom = performance.now() + RETRY_MS;
      return false;
    } finally {
      await rm(unfinished, { force: true }).catch(() => {});
    }
  }

  async #takeOver(): Promise<void> {
    const { directory, suffix } = this.#options;
    if (directory === undefined) return;
    await mkdir(directory, { recursive: true });
    const names = await readdir(directory);
    for (const name of names) if (name.endsWith(UNFINISHED_SUFFIX)) await this.#remove(name);
    const kept = names.filter((name) => name.endsWith(suffix));
    const found: FoundFile[] = [];
    while (kept.length > 0) {
      const files = await Promise.all(kept.splice(-LOOKS).map((name) => this.#look(name)));
      found.push(...files.filter((file) => file !== undefined));
    }
    found.sort((one, other) => one.usedMs - other.usedMs);
    for (const { name, size } of found) {
      if (this.#files.has(name)) continue;
      this.#files.set(name, size);
      this.#bytes += size;
    }
    this.#takenOver = true;
    await this.#makePlace(0);
  }

  async #look(name: string): Promise<FoundFile | undefined> {
    try {
      const file = await lstat(this.#path(name));
      // Opening a fifo would wait for ever.
      return file.isFile() ? { name, size: onDisk(file.size), usedMs: file.mtimeMs } : undefined;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Time of change is time of use: a restart goes by it. */
  #use(name: string, path: string): void {
    const size = this.#files.get(name);
    if (size === undefined) return;
    this.#files.delete(name);
    this.#files.set(name, size);
    const now = new Date();
    utimes(path, now, now).catch(() => {}); // where one may only read, the order is lost
  }

  async #makePlace(bytes: number): Promise<void> {
    for (const oldest of this.#files.keys()) {
      if (this.#bytes + bytes <= this.#options.bytesMax) return;
      await this.#remove(oldest);
    }
  }

  async #remove(name: string): Promise<void> {
    this.#forget(name);
    await rm(this.#path(name), { force: true }).catch((error: unknown) => this.#complain(error));
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

  /** Of the file of `key`, here and at neighbours. */
  #nameOf(key: string): string {
    return createHash('sha256').update(key).digest('hex') + this.#options.suffix;
  }

  #path(name: string): string {
    return join(this.#options.directory ?? '', name);
  }

  /** Once, until it succeeds: a full disk stays full for a while. */
  #complain(error: unknown): void {
    const { what, onFailed, logger } = this.#options;
    onFailed();
    if (this.#complained) return;
    this.#complained = true;
    logger.warn({ err: error }, `${what} cannot be kept on disk`);
  }
}

interface FoundFile {
  name: string;
  /** What it takes of the disk, in bytes. */
  size: number;
  usedMs: number;
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Whether somebody else has removed the file. */
async function isGone(path: string): Promise<boolean> {
  return lstat(path).then(() => false, isMissing);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function onDisk(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** @returns the bytes written; undefined where there were more than `bytesMax`. */
async function writeBounded(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  bytesMax: number,
): Promise<number | undefined> {
  const file = await open(path, 'w');
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
