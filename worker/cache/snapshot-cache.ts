/** Images of loaded traces on disk. */
import {
  encodeImage,
  type Image,
  SnapshotUnreadable,
  SnapshotUnusable,
} from '../../lib/engine/index.ts';
import type { Counters } from '../counters.ts';
import { CacheDirectory, type CacheDirectoryOptions } from './cache-directory.ts';

export interface SnapshotCacheOptions
  extends Pick<CacheDirectoryOptions, 'directory' | 'neighbours' | 'bytesMax' | 'logger'> {
  counters: Counters;
}

const USELESS_MAX = 10_000;
const ELSEWHERE_MAX = 100_000;

export class SnapshotCache {
  readonly #options: SnapshotCacheOptions;
  readonly #files: CacheDirectory;
  /** Images that could not be used: those of others stay where they are. */
  readonly #useless = new Set<string>();
  /** Traces of which another worker was seen to have an image. */
  readonly #elsewhere = new Set<string>();

  private constructor(options: SnapshotCacheOptions, files: CacheDirectory) {
    this.#options = options;
    this.#files = files;
  }

  /** Takes over what an earlier worker has left in the directory. */
  static async open(options: SnapshotCacheOptions): Promise<SnapshotCache> {
    const { counters, ...directory } = options;
    const files = await CacheDirectory.open({
      ...directory,
      suffix: '.image',
      what: 'images of traces',
      isWrong,
      onFailed: () => counters.add('images_failed'),
    });
    return new SnapshotCache(options, files);
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

  async has(key: string): Promise<boolean> {
    return this.#files.has(key) || (await this.isElsewhere(key));
  }

  /** Whether another worker has an image of the trace. */
  async isElsewhere(key: string): Promise<boolean> {
    const found = (await this.#atNeighbour(key)) !== undefined;
    if (!found) this.#elsewhere.delete(key);
    else {
      if (this.#elsewhere.size >= ELSEWHERE_MAX) this.#elsewhere.clear();
      this.#elsewhere.add(key);
    }
    return found;
  }

  /** Whether an image of the trace is to be written, as far as is known without a look at other workers'. */
  wants(key: string): boolean {
    return this.#files.wants(key) && !this.#elsewhere.has(key);
  }

  /** Path of the image that another worker has. */
  #atNeighbour(key: string): Promise<string | undefined> {
    return this.#files.atNeighbour(key, (path) => this.#useless.has(path));
  }

  /**
   * What `restore` makes of the trace's image; undefined where there is none that can be used. One of its
   * own that is damaged (SnapshotUnusable, but not SnapshotUnreadable) is removed.
   * @throws what else `restore` throws
   */
  async restore<Restored>(
    key: string,
    restore: (path: string) => Promise<Restored>,
  ): Promise<Restored | undefined> {
    const attempt = async (path: string): Promise<{ value: Restored } | { thrown: unknown }> => {
      try {
        return { value: await restore(path) };
      } catch (thrown) {
        if (thrown instanceof SnapshotUnusable) throw this.#complained(path, thrown);
        return { thrown }; // it is not about the image
      }
    };
    const neighbours = this.#files.has(key) ? undefined : await this.#atNeighbour(key);
    const attempted =
      neighbours === undefined ? this.#files.read(key, attempt) : attempt(neighbours);
    const outcome = await attempted.catch(() => undefined);
    if (outcome !== undefined && 'thrown' in outcome) throw outcome.thrown;
    return outcome?.value;
  }

  #complained(path: string, error: SnapshotUnusable): SnapshotUnusable {
    const { counters, logger } = this.#options;
    counters.add('images_unusable');
    logger.warn({ path, reason: error.message }, 'an image cannot be used');
    if (!isWrong(error)) return error; // the next attempt may succeed
    if (this.#useless.size >= USELESS_MAX) this.#useless.clear();
    this.#useless.add(path);
    return error;
  }

  /** Keeps the trace's image, if there is a place for it. */
  async write(key: string, image: Image): Promise<void> {
    if (await this.#files.write(key, encodeImage(image)))
      this.#options.counters.add('images_written');
  }
}

function isWrong(error: unknown): boolean {
  return error instanceof SnapshotUnusable && !(error instanceof SnapshotUnreadable);
}
