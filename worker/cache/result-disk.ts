/**
 * The part of the result cache on disk. It outlives the worker and holds more results than fit in memory. New
 * results wait in memory until the worker is idle, and are written then.
 */
import { readFile, stat } from 'node:fs/promises';
import type { WorkerCounters } from '../counters.ts';
import { Permits } from '../scheduling/permits.ts';
import type { Turn } from '../scheduling/turns.ts';
import { CacheDirectory, type CacheDirectoryOptions } from './cache-directory.ts';
import { decodeResult, encodeResult, ResultUnusable } from './result-file.ts';
import type { CachedResult } from './result-memory.ts';

export interface ResultDiskOptions
  extends Pick<CacheDirectoryOptions, 'directory' | 'neighbours' | 'bytesMax' | 'logger'> {
  /** Returns whether a task runs or waits for a thread; writing waits until there is none. */
  isBusy: () => boolean;
  counters: WorkerCounters;
}

/** Maximum size in bytes of a result that is written; a file is read and verified as a whole. */
const ANSWER_BYTES_MAX = 16 * 2 ** 20;
/**
 * Maximum size in bytes of a result file; its header lists the size of each QueryResult, most of which have
 * about 100 KiB.
 */
const FILE_BYTES_MAX = 2 * ANSWER_BYTES_MAX;
/** Maximum number of files read at the same time. */
const READS_MAX = 8;
/** Delay after the last new or used result before writing begins. */
const IDLE_MS = 300;
/** Time in milliseconds for writing pending results when the worker stops; the rest is dropped. */
const CLOSE_MS_MAX = 2000;
/**
 * Maximum number of results that wait to be written; above it, or above WAITING_BYTES_MAX, the oldest are dropped.
 */
const WAITING_MAX = 10_000;
const WAITING_BYTES_MAX = 4 * ANSWER_BYTES_MAX;

export class ResultDiskCache {
  readonly #options: ResultDiskOptions;
  readonly #files: CacheDirectory;
  readonly #reads = new Permits(READS_MAX);
  /** Results to be written, by key, oldest first. */
  readonly #waiting = new Map<string, CachedResult>();
  /** Keys of results that were used from memory since the last write; their files become the most recently used. */
  readonly #used = new Set<string>();
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closing = false;

  private constructor(options: ResultDiskOptions, files: CacheDirectory) {
    this.#options = options;
    this.#files = files;
  }

  /**
   * Opens the directory and takes over the results that an earlier worker left there. Never rejects: failures
   * are logged.
   */
  static async open(options: ResultDiskOptions): Promise<ResultDiskCache> {
    const { isBusy: _, counters, ...directory } = options;
    const files = await CacheDirectory.open({
      ...directory,
      suffix: '.result',
      what: 'cached results',
      isWrong: (error) => error instanceof ResultUnusable,
      onFailed: () => counters.add('results_failed'),
    });
    return new ResultDiskCache(options, files);
  }

  get size(): number {
    return this.#files.size;
  }

  get bytes(): number {
    return this.#files.bytes;
  }

  /** Whether there is a file of the result, which may turn out to be damaged. */
  async has(key: string): Promise<boolean> {
    return this.#files.has(key) || (await this.#files.atNeighbour(key)) !== undefined;
  }

  /**
   * Returns the cached result, or undefined. A damaged file is removed, unless it is another worker's.
   * @throws the signal's reason
   */
  async read(key: string, turn: Turn, signal: AbortSignal): Promise<CachedResult | undefined> {
    const own = this.#files.has(key);
    const path = own ? undefined : await this.#files.atNeighbour(key);
    if (!own && path === undefined) return undefined;
    const permit = await this.#reads.acquire(turn, signal);
    const decode = (file: string): Promise<CachedResult> => this.#decode(file, key);
    try {
      return await (path === undefined ? this.#files.read(key, decode) : decode(path));
    } catch {
      this.#options.counters.add('results_unusable');
      return undefined;
    } finally {
      permit.release();
    }
  }

  async #decode(path: string, key: string): Promise<CachedResult> {
    try {
      const file = await stat(path);
      if (!file.isFile()) throw new ResultUnusable('it is not a file');
      if (file.size > FILE_BYTES_MAX) throw new ResultUnusable(`it has ${file.size} bytes`);
      return decodeResult(await readFile(path), key);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.logger.warn({ path, reason }, 'a cached result on disk cannot be used');
      throw error;
    }
  }

  /** Queues a result to be written when the worker is idle; results above ANSWER_BYTES_MAX are ignored. */
  put(key: string, result: CachedResult): void {
    if (this.#closing || result.resultBytes > ANSWER_BYTES_MAX || !this.#files.wants(key)) return;
    this.#take(key);
    this.#waiting.set(key, result);
    this.#waitingBytes += result.resultBytes;
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size <= WAITING_MAX && this.#waitingBytes <= WAITING_BYTES_MAX) break;
      this.#take(oldest);
    }
    this.#later();
  }

  /** Records that a result was used from the memory cache. */
  used(key: string): void {
    if (this.#closing || this.#used.size >= WAITING_MAX || !this.#files.has(key)) return;
    this.#used.add(key);
    this.#later();
  }

  /** Writes pending results for at most CLOSE_MS_MAX; then nothing is kept any more. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.#writing;
    const giveUp = performance.now() + CLOSE_MS_MAX;
    await this.#write(() => performance.now() > giveUp);
  }

  #later(): void {
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#onIdle(), IDLE_MS).unref();
    else this.#timer.refresh();
  }

  #onIdle(): void {
    if (this.#closing || this.#writing !== undefined) return;
    this.#writing = this.#write(() => this.#closing || this.#options.isBusy()).then(() => {
      this.#writing = undefined;
      if (this.#waiting.size > 0 && !this.#closing) this.#later();
    });
  }

  async #write(stops: () => boolean): Promise<void> {
    for (const key of this.#used) this.#files.use(key);
    this.#used.clear();
    for (const key of this.#waiting.keys()) {
      if (stops()) return;
      const result = this.#take(key);
      if (result === undefined || !this.#files.wants(key)) continue;
      if (await this.#files.write(key, encodeResult(key, result)))
        this.#options.counters.add('results_written');
    }
  }

  #take(key: string): CachedResult | undefined {
    const result = this.#waiting.get(key);
    this.#waiting.delete(key);
    this.#waitingBytes -= result?.resultBytes ?? 0;
    return result;
  }
}
