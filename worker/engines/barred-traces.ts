/**
 * Remembers traces whose load failed in a way that another load would repeat. Like a result, the failure is kept by
 * the trace's generation and the engine version, in memory and on disk, and later tasks fail with it at once.
 */
import { readFile } from 'node:fs/promises';
import { BigtraceError, type ErrorCode, isErrorCode } from '../../lib/common/errors.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import { printable } from '../../lib/common/text/byte-text.ts';
import { CacheDirectory } from '../cache/cache-directory.ts';
import type { WorkerCounters } from '../counters.ts';
import { type LoadBound, loadMsMax } from './load-watch.ts';

export interface Bar {
  trace: string;
  generation: string;
  code: ErrorCode;
  detail: string;
  /** When the trace was barred, in milliseconds since the epoch. */
  barredMs: number;
  /** The limit that the load exceeded, if it did: a worker that starts with a higher one lifts the bar. */
  memoryBytes?: number;
  /** Memory in bytes that the trace needs, if it exceeded that limit. */
  neededBytes?: number | undefined;
  load?: { traceBytes: number; ms: number };
}

export interface BarredTracesOptions {
  /** Directory for the bars; undefined: they are kept in memory only. */
  directory: string | undefined;
  memoryBytesMax: number;
  loadBound: LoadBound;
  counters: WorkerCounters;
  logger: Logger;
}

/** Maximum number of bars in memory; above it, the oldest is lifted. */
const BARS_MAX = 10_000;
const DISK_BYTES_MAX = 64 * 2 ** 20;

export class BarredTraces {
  readonly #options: BarredTracesOptions;
  readonly #files: CacheDirectory;
  /** Bars by the key of the trace, in the order in which they were set. */
  readonly #bars = new Map<string, Bar>();
  /** Writes in progress. */
  readonly #writes = new Set<Promise<unknown>>();

  private constructor(options: BarredTracesOptions, files: CacheDirectory) {
    this.#options = options;
    this.#files = files;
  }

  /**
   * Opens the directory and takes over the bars of an earlier worker, except those that a higher limit has lifted.
   */
  static async open(options: BarredTracesOptions): Promise<BarredTraces> {
    const { directory, counters, logger } = options;
    const files = await CacheDirectory.open({
      ...{ directory, neighbours: [], bytesMax: DISK_BYTES_MAX, logger },
      suffix: '.barred',
      what: 'barred traces',
      isWrong: (error) => error instanceof RecordUnusable || error instanceof SyntaxError,
      onFailed: () => counters.add('results_failed'),
    });
    const barred = new BarredTraces(options, files);
    for (const { key, bar } of await files.readAll(readBar))
      if (barred.#holds(bar)) barred.#bars.set(key, bar);
      else await files.remove(key);
    return barred;
  }

  get size(): number {
    return this.#bars.size;
  }

  /** Returns the last `count` bars, the latest first. */
  latest(count: number): Bar[] {
    return [...this.#bars.values()].slice(-count).reverse();
  }

  has(key: string): boolean {
    return this.#bars.has(key);
  }

  /** @throws the error with which loading the trace failed, if it is barred */
  check(key: string): void {
    const bar = this.#bars.get(key);
    if (bar === undefined) return;
    this.#options.counters.add('barred_tasks');
    throw errorOf(bar);
  }

  /** Bars a trace. @returns the error that tasks on it get from now on */
  bar(key: string, bar: Bar): BigtraceError {
    this.#options.counters.add('traces_barred');
    this.#bars.delete(key);
    this.#bars.set(key, bar);
    const [oldest] = this.#bars.keys();
    if (this.#bars.size > BARS_MAX && oldest !== undefined) void this.#forget(oldest);
    const text = Buffer.from(JSON.stringify({ key, bar }));
    this.#track(this.#files.write(key, [text]));
    return errorOf(bar);
  }

  /** Lifts the bars of these addresses, or all. @returns how many */
  async lift(addresses: ReadonlySet<string> | 'all'): Promise<number> {
    const lifted = [...this.#bars].filter(
      ([, { trace }]) => addresses === 'all' || addresses.has(trace),
    );
    await Promise.all(lifted.map(([key]) => this.#forget(key)));
    return lifted.length;
  }

  /** Resolves when all bars are written. */
  async close(): Promise<void> {
    await Promise.all(this.#writes);
  }

  /** Returns whether the worker's limits are still those, or lower ones, that the load exceeded. */
  #holds({ memoryBytes, load }: Bar): boolean {
    const { memoryBytesMax, loadBound } = this.#options;
    if (memoryBytes !== undefined && memoryBytes < memoryBytesMax) return false;
    return load === undefined || load.ms >= loadMsMax(loadBound, load.traceBytes);
  }

  async #forget(key: string): Promise<void> {
    this.#bars.delete(key);
    await Promise.all(this.#writes); // one of them may write this file
    await this.#files.remove(key);
  }

  #track(write: Promise<unknown>): void {
    this.#writes.add(write);
    void write.finally(() => this.#writes.delete(write));
  }
}

/**
 * Returns the error of the first task and all later ones. The message names no remedy for an invalid trace,
 * which stays invalid.
 */
function errorOf({ code, detail, trace, neededBytes }: Bar): BigtraceError {
  if (code === 'trace_invalid') return new BigtraceError(code, detail);
  const remedy = `the trace is barred now; \`bigtrace unbar ${printable(trace)}\` allows another load`;
  return new BigtraceError(code, `${detail}; ${remedy}`, { neededBytes });
}

/** The file is not the record of a bar. */
class RecordUnusable extends Error {
  override readonly name = 'RecordUnusable';
}

/** Reads a bar from its file. @throws RecordUnusable, SyntaxError, file system errors */
async function readBar(path: string): Promise<{ key: string; bar: Bar }> {
  const record: { key?: unknown; bar?: Partial<Bar> } | null = JSON.parse(
    await readFile(path, 'utf8'),
  );
  const { trace, generation, code, detail, barredMs } = record?.bar ?? {};
  const texts = [record?.key, trace, generation, code, detail];
  if (texts.some((text) => typeof text !== 'string') || typeof barredMs !== 'number')
    throw new RecordUnusable('it is not the record of a barred trace');
  if (!isErrorCode(code ?? '')) throw new RecordUnusable(`there is no error code ${code}`);
  return record as { key: string; bar: Bar };
}
