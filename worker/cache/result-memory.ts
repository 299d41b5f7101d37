/**
 * Answers of the past: the same script on the same bytes with the same engine gives the same rows. Held
 * within a bound of bytes; the longest unused go first.
 */
import type { ResultColumn } from '../tasks/columns.ts';

export interface CachedResult {
  /** Encoded QueryResults, as the engine wrote them. */
  results: readonly Buffer[];
  resultBytes: number;
  rows: number;
  /** The trace's size, where its store knows it. */
  traceBytes: number | undefined;
  /** Once somebody wanted to know. */
  columns: readonly ResultColumn[] | undefined;
}

/** One answer may not push out most of the others. */
const ENTRY_SHARE = 1 / 4;
/** What the objects around the bytes take, about. */
const ENTRY_BYTES = 1024;
const RESULT_BYTES = 256;

export class ResultMemoryCache {
  readonly bytesMax: number;
  #bytes = 0;
  /** In order of last use. */
  readonly #entries = new Map<string, CachedResult>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): CachedResult | undefined {
    const found = this.#entries.get(key);
    if (found === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, found);
    return found;
  }

  /** Gathers an answer while it is made; one that grows too large is let go. */
  recorder(): ResultRecorder {
    return new ResultRecorder(this.bytesMax * ENTRY_SHARE);
  }

  put(key: string, answer: CachedResult): void {
    const bytes = cost(answer);
    if (bytes > this.bytesMax * ENTRY_SHARE) return;
    this.#forget(key);
    this.#entries.set(key, answer);
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.bytesMax) break;
      this.#forget(oldest);
    }
  }

  #forget(key: string): void {
    const found = this.#entries.get(key);
    if (found === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= cost(found);
  }
}

function cost({ results, resultBytes }: CachedResult): number {
  return resultBytes + results.length * RESULT_BYTES + ENTRY_BYTES;
}

export class ResultRecorder {
  readonly #bytesMax: number;
  #results: Buffer[] | undefined = [];
  resultBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(result: Buffer): void {
    this.resultBytes += result.byteLength;
    if (this.resultBytes > this.#bytesMax) this.#results = undefined;
    this.#results?.push(result);
  }

  /** All that was added, or undefined where it was too much. */
  get results(): readonly Buffer[] | undefined {
    return this.#results;
  }
}
