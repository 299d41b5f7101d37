/** Images of loaded traces on disk. */
import { createReadStream } from 'node:fs';
import type { Logger } from '../common/log.ts';
import { decodeImage, encodeImage, type Image, ImageUnusable } from '../trace-processor/index.ts';
import { CacheDirectory } from './cache-directory.ts';
import type { Counters } from './counters.ts';

export interface ImageCacheOptions {
  /** Without one there are no images. */
  directory: string | undefined;
  bytesMax: number;
  engineIdentity: string;
  counters: Counters;
  logger: Logger;
}

const READ_BYTES = 2 ** 20;

export class ImageCache {
  readonly #options: ImageCacheOptions;
  readonly #files: CacheDirectory;

  private constructor(options: ImageCacheOptions, files: CacheDirectory) {
    this.#options = options;
    this.#files = files;
  }

  /** Takes over what an earlier worker has left in the directory. */
  static async open(options: ImageCacheOptions): Promise<ImageCache> {
    const { directory, bytesMax, counters, logger } = options;
    const files = await CacheDirectory.open({
      ...{ directory, bytesMax, suffix: '.image', what: 'images of traces', logger },
      onFailed: () => counters.add('images_failed'),
    });
    return new ImageCache(options, files);
  }

  get size(): number {
    return this.#files.size;
  }

  get bytes(): number {
    return this.#files.bytes;
  }

  /** Whether an image could be written now. */
  get writable(): boolean {
    return this.#files.writable;
  }

  has(key: string): boolean {
    return this.#files.has(key);
  }

  /** Whether an image of the trace is to be written. */
  wants(key: string): boolean {
    return this.#files.wants(key);
  }

  /** The trace's image; one that cannot be used is removed. */
  async read(key: string): Promise<Image | undefined> {
    const { engineIdentity, counters, logger } = this.#options;
    const decode = async (path: string): Promise<Image> => {
      try {
        const pieces = createReadStream(path, { highWaterMark: READ_BYTES });
        return await decodeImage(pieces, engineIdentity);
      } catch (error) {
        counters.add('images_unusable');
        if (error instanceof ImageUnusable)
          logger.warn({ path, reason: error.message }, 'an image cannot be used');
        throw error;
      }
    };
    return this.#files.read(key, decode).catch(() => undefined);
  }

  /** Keeps the trace's image, if there is a place for it. */
  async write(key: string, image: Image): Promise<void> {
    if (await this.#files.write(key, encodeImage(image)))
      this.#options.counters.add('images_written');
  }
}
