/**
 * The part of the result cache in memory. The same script on the same bytes with the same engine version returns the
 * same rows, so a result is kept by all three, within a maximum size; the least recently used go first.
 */
import { LRUCache } from 'lru-cache';
import type { ResultColumn } from '../tasks/columns.ts';

export interface CachedResult {
  /** Encoded QueryResult messages, as the engine wrote them. */
  results: readonly Buffer[];
  /** Sum of the sizes of `results`, in bytes. */
  resultBytes: number;
  rows: number;
  /** Size of the trace in bytes; undefined if its store does not report it. */
  traceBytes: number | undefined;
  /** Columns and their cell types; undefined until a client requested them. */
  columns: readonly ResultColumn[] | undefined;
}

/** Maximum share of the cache for one result, so that it cannot evict most of the others. */
const ENTRY_SHARE = 1 / 4;
/** Approximate overhead of an entry, and of each of its results, in bytes. */
const ENTRY_BYTES = 1024;
const RESULT_BYTES = 256;

export class ResultMemoryCache {
  readonly bytesMax: number;
  readonly #entries: LRUCache<string, CachedResult>;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
    this.#entries = new LRUCache({
      maxSize: Math.max(bytesMax, 1), // it takes 0 for no bound
      maxEntrySize: Math.max(Math.floor(bytesMax * ENTRY_SHARE), 1),
      sizeCalculation: cost,
    });
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): CachedResult | undefined {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Returns a recorder for the results of a running script. It drops them when they exceed one entry's share. */
  recorder(): ResultRecorder {
    return new ResultRecorder(this.bytesMax * ENTRY_SHARE);
  }

  /** Adds or replaces a result. One above ENTRY_SHARE is not kept. */
  put(key: string, result: CachedResult): void {
    this.#entries.set(key, result);
  }
}

/** Approximate memory of an entry, in bytes. */
function cost({ results, resultBytes }: CachedResult): number {
  return resultBytes + results.length * RESULT_BYTES + ENTRY_BYTES;
}

/** Collects the results of one script until they exceed `bytesMax`. */
class ResultRecorder {
  readonly #bytesMax: number;
  #results: Buffer[] | undefined = [];
  /** Bytes added so far, including results that were dropped. */
  resultBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(result: Buffer): void {
    this.resultBytes += result.byteLength;
    if (this.resultBytes > this.#bytesMax) this.#results = undefined;
    this.#results?.push(result);
  }

  /** All results that were added; undefined if they exceeded the maximum. */
  get results(): readonly Buffer[] | undefined {
    return this.#results;
  }
}
