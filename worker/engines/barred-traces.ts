/**
 * Traces whose load failed in a way that another load would repeat. Like an answer, the failure is remembered
 * by the trace's generation and the engine, in memory and on disk: the next query gets it at once.
 */
import { readFile } from 'node:fs/promises';
import { BigtraceError, type ErrorCode, isErrorCode } from '../../lib/common/errors.ts';
import type { Logger } from '../../lib/common/observability/log.ts';
import { printable } from '../../lib/common/text/byte-text.ts';
import { CacheDirectory } from '../cache/cache-directory.ts';
import type { Counters } from '../counters.ts';
import { type LoadBound, loadMsMax } from './load-watch.ts';

export interface Bar {
  trace: string;
  generation: string;
  code: ErrorCode;
  detail: string;
  /** When it was barred; since the epoch. */
  barredMs: number;
  /** The bounds of then, where it ran into one: larger ones lift the bar. */
  memoryBytes?: number;
  load?: { traceBytes: number; ms: number };
}

export interface BarredTracesOptions {
  /** Without one they are kept in memory only. */
  directory: string | undefined;
  memoryBytesMax: number;
  loadBound: LoadBound;
  counters: Counters;
  logger: Logger;
}

const BARS_MAX = 10_000;
const DISK_BYTES_MAX = 64 * 2 ** 20;

export class BarredTraces {
  readonly #options: BarredTracesOptions;
  readonly #files: CacheDirectory;
  /** By the key of the trace, in the order they were barred. */
  readonly #bars = new Map<string, Bar>();
  readonly #writes = new Set<Promise<unknown>>();

  private constructor(options: BarredTracesOptions, files: CacheDirectory) {
    this.#options = options;
    this.#files = files;
  }

  /** Takes over the bars of an earlier worker, but for those that a larger bound has lifted. */
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

  /** The last `count` that were barred, the latest first. */
  latest(count: number): Bar[] {
    return [...this.#bars.values()].slice(-count).reverse();
  }

  /** @throws the error that loading the trace ended with, where it is barred */
  check(key: string): void {
    const bar = this.#bars.get(key);
    if (bar === undefined) return;
    this.#options.counters.add('barred_answers');
    throw errorOf(bar);
  }

  /** @returns the error that queries get from now on */
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

  /** Lets traces be loaded again: those of the addresses, or all. @returns how many */
  async lift(addresses: ReadonlySet<string> | 'all'): Promise<number> {
    const lifted = [...this.#bars].filter(
      ([, { trace }]) => addresses === 'all' || addresses.has(trace),
    );
    await Promise.all(lifted.map(([key]) => this.#forget(key)));
    return lifted.length;
  }

  async close(): Promise<void> {
    await Promise.all(this.#writes);
  }

  #holds({ memoryBytes, load }: Bar): boolean {
    const { memoryBytesMax, loadBound } = this.#options;
    if (memoryBytes !== undefined && memoryBytes < memoryBytesMax) return false;
    return load === undefined || load.ms >= loadMsMax(loadBound, load.traceBytes);
  }

  async #forget(key: string): Promise<void> {
    this.#bars.delete(key);
    await Promise.all(this.#writes); // one of them may be the file's
    await this.#files.remove(key);
  }

  #track(write: Promise<unknown>): void {
    this.#writes.add(write);
    void write.finally(() => this.#writes.delete(write));
  }
}

/** The same for the first query and for later ones. A trace that is invalid is so for good. */
function errorOf({ code, detail, trace }: Bar): BigtraceError {
  if (code === 'trace_invalid') return new BigtraceError(code, detail);
  const remedy = `it is barred now; \`bigtrace unbar ${printable(trace)}\` lets it be loaded again`;
  return new BigtraceError(code, `${detail}; ${remedy}`);
}

class RecordUnusable extends Error {
  override readonly name = 'RecordUnusable';
}

/** @throws RecordUnusable, SyntaxError, and what reading throws */
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
