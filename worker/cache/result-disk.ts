/**
 * Answers of the past on disk, within a bound of bytes: what `ResultMemory` has let go, or an earlier worker
 * has left. They are written while there is nothing else to do.
 */
import { readFile, stat } from 'node:fs/promises';
import type { Counters } from '../counters.ts';
import { Permits } from '../scheduling/permits.ts';
import type { Turn } from '../scheduling/turns.ts';
import { CacheDirectory, type CacheDirectoryOptions } from './cache-directory.ts';
import { decodeResult, encodeResult, ResultUnusable } from './result-file.ts';
import type { CachedResult } from './result-memory.ts';

export interface ResultDiskOptions
  extends Pick<CacheDirectoryOptions, 'directory' | 'neighbours' | 'bytesMax' | 'logger'> {
  /** Whether the worker has something else to do. */
  isBusy: () => boolean;
  counters: Counters;
}

/** A larger answer is not kept: it is read and checked in one go. */
const ANSWER_BYTES_MAX = 16 * 2 ** 20;
/** The header names each result, and most are 100 KiB. */
const FILE_BYTES_MAX = 2 * ANSWER_BYTES_MAX;
const READS_MAX = 8;
/** A worker that had nothing to do for so long is idle. */
const IDLE_MS = 300;
/** What is not written by then when the worker ends, is not. */
const CLOSE_MS_MAX = 2000;
/** What waits to be written; beyond it the oldest are forgotten. */
const WAITING_MAX = 10_000;
const WAITING_BYTES_MAX = 4 * ANSWER_BYTES_MAX;

export class ResultDiskCache {
  readonly #options: ResultDiskOptions;
  readonly #files: CacheDirectory;
  readonly #reads = new Permits(READS_MAX);
  readonly #waiting = new Map<string, CachedResult>();
  /** Keys of answers that were used in memory. */
  readonly #used = new Set<string>();
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closing = false;

  private constructor(options: ResultDiskOptions, files: CacheDirectory) {
    this.#options = options;
    this.#files = files;
  }

  /** Takes over what an earlier worker has left in the directory. */
  static async open(options: ResultDiskOptions): Promise<ResultDiskCache> {
    const { isBusy: _, counters, ...directory } = options;
    const files = await CacheDirectory.open({
      ...directory,
      suffix: '.result',
      what: 'answers',
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

  /**
   * The answer; a file of its own that is damaged is removed.
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
      if (!file.isFile()) throw new ResultUnusable('it is no file');
      if (file.size > FILE_BYTES_MAX) throw new ResultUnusable(`it has ${file.size} bytes`);
      return decodeResult(await readFile(path), key);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.logger.warn({ path, reason }, 'an answer on disk cannot be used');
      throw error;
    }
  }

  /** Keeps it soon, if there is a place for it. */
  put(key: string, answer: CachedResult): void {
    if (this.#closing || answer.resultBytes > ANSWER_BYTES_MAX || !this.#files.wants(key)) return;
    this.#take(key);
    this.#waiting.set(key, answer);
    this.#waitingBytes += answer.resultBytes;
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size <= WAITING_MAX && this.#waitingBytes <= WAITING_BYTES_MAX) break;
      this.#take(oldest);
    }
    this.#later();
  }

  /** That it was used, although it was not read here. */
  used(key: string): void {
    if (this.#closing || this.#used.size >= WAITING_MAX || !this.#files.has(key)) return;
    this.#used.add(key);
    this.#later();
  }

  /** Writes what waits, and keeps nothing any more. */
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
      const answer = this.#take(key);
      if (answer === undefined || !this.#files.wants(key)) continue;
      if (await this.#files.write(key, encodeResult(key, answer)))
        this.#options.counters.add('results_written');
    }
  }

  #take(key: string): CachedResult | undefined {
    const answer = this.#waiting.get(key);
    this.#waiting.delete(key);
    this.#waitingBytes -= answer?.resultBytes ?? 0;
    return answer;
  }
}
