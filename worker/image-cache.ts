/**
 * Images of loaded traces on disk, within a bound of bytes; the longest unused go first. It is a cache:
 * whatever fails with it costs time, never an answer. A directory belongs to one worker.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../common/log.ts';
import { decodeImage, encodeImage, type Image, ImageUnusable } from '../trace-processor/index.ts';
import type { Counters } from './counters.ts';

export interface ImageCacheOptions {
  /** Without one there are no images. */
  directory: string | undefined;
  bytesMax: number;
  engineIdentity: string;
  counters: Counters;
  logger: Logger;
}

const SUFFIX = '.image';
const UNFINISHED_SUFFIX = '.unfinished';
const READ_BYTES = 2 ** 20;
/** After a failure to write, the next attempt is so long away. */
const RETRY_MS = 60_000;
const TOO_LARGE_MAX = 10_000;

export class ImageCache {
  readonly #options: ImageCacheOptions;
  /** Name of the file to its size, in order of last use. */
  readonly #files = new Map<string, number>();
  #bytes = 0;
  #writableFrom = 0;
  #complained = false;
  /** Names of images that were larger than the bound: to write them again would be for nothing. */
  readonly #tooLarge = new Set<string>();

  private constructor(options: ImageCacheOptions) {
    this.#options = options;
  }

  /** Takes over what an earlier worker has left in the directory. */
  static async open(options: ImageCacheOptions): Promise<ImageCache> {
    const cache = new ImageCache(options);
    await cache.#takeOver().catch((error: unknown) => cache.#complain(error));
    return cache;
  }

  get size(): number {
    return this.#files.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether an image could be written now. */
  get writable(): boolean {
    const { directory, bytesMax } = this.#options;
    return directory !== undefined && bytesMax > 0 && performance.now() >= this.#writableFrom;
  }

  has(key: string): boolean {
    return this.#files.has(fileName(key));
  }

  /** Whether an image of the trace is to be written. */
  wants(key: string): boolean {
    const name = fileName(key);
    return this.writable && !this.#files.has(name) && !this.#tooLarge.has(name);
  }

  /** The trace's image; one that cannot be used is removed. */
  async read(key: string): Promise<Image | undefined> {
    const name = fileName(key);
    if (!this.#files.has(name)) return undefined;
    const { engineIdentity, counters, logger } = this.#options;
    const path = this.#path(name);
    try {
      const pieces = createReadStream(path, { highWaterMark: READ_BYTES });
      const image = await decodeImage(pieces, engineIdentity);
      this.#use(name, path);
      return image;
    } catch (error) {
      counters.add('images_unusable');
      if (error instanceof ImageUnusable)
        logger.warn({ path, reason: error.message }, 'an image cannot be used');
      await this.#remove(name);
      return undefined;
    }
  }

  /** Keeps the trace's image, if there is a place for it. */
  async write(key: string, image: Image): Promise<void> {
    const { directory, bytesMax, counters, logger } = this.#options;
    if (directory === undefined || !this.writable) return;
    const name = fileName(key);
    const unfinished = this.#path(`${name}.${process.pid}${UNFINISHED_SUFFIX}`);
    try {
      await mkdir(directory, { recursive: true });
      const bytes = await writeBounded(unfinished, encodeImage(image), bytesMax);
      if (bytes === undefined) return this.#rememberTooLarge(name);
      this.#forget(name);
      await this.#makePlace(bytes);
      await rename(unfinished, this.#path(name));
      this.#files.set(name, bytes);
      this.#bytes += bytes;
      counters.add('images_written');
      if (this.#complained) logger.info({ directory }, 'images of traces are kept on disk again');
      this.#complained = false;
    } catch (error) {
      this.#complain(error);
      this.#writableFrom = performance.now() + RETRY_MS;
    } finally {
      await rm(unfinished, { force: true }).catch(() => {});
    }
  }

  async #takeOver(): Promise<void> {
    const { directory } = this.#options;
    if (directory === undefined) return;
    await mkdir(directory, { recursive: true });
    const found: { name: string; size: number; usedMs: number }[] = [];
    for (const name of await readdir(directory)) {
      if (name.endsWith(UNFINISHED_SUFFIX)) await this.#remove(name);
      if (!name.endsWith(SUFFIX)) continue;
      const file = await lstat(this.#path(name)).catch(() => undefined);
      // Whoever opens a fifo waits for ever; one that was removed meanwhile is no loss.
      if (file?.isFile()) found.push({ name, size: file.size, usedMs: file.mtimeMs });
    }
    found.sort((one, other) => one.usedMs - other.usedMs);
    for (const { name, size } of found) {
      this.#files.set(name, size);
      this.#bytes += size;
    }
    await this.#makePlace(0);
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

  #path(name: string): string {
    return join(this.#options.directory ?? '', name);
  }

  /** Once, until it succeeds: a full disk stays full for a while. */
  #complain(error: unknown): void {
    this.#options.counters.add('images_failed');
    if (this.#complained) return;
    this.#complained = true;
    this.#options.logger.warn({ err: error }, 'images of traces cannot be kept on disk');
  }
}

function fileName(key: string): string {
  return createHash('sha256').update(key).digest('hex') + SUFFIX;
}

/** @returns the bytes written; undefined where there were more than `bytesMax`. */
async function writeBounded(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
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
