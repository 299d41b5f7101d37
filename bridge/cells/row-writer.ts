/** How rows leave the bridge: in one of two formats, TSV (tsv/rows.ts) and Native (native/rows.ts). */
import type { CellsBatch } from '../../lib/query-result/reader.ts';

/** All of it goes into one Output, from which it is written when it is flushed. */
export interface RowWriter {
  /** Begins the rows of a trace; those of several may come in turns. */
  trace(address: Uint8Array): CellWriter;
  /** Says "still here": ClickHouse notices a cancelled query when it has read something. */
  heartbeat(): void;
  /** Says that a trace failed: the rows before it that are the trace's are void. */
  failure(trace: Uint8Array): void;
  /** Hands over what there is. Rejects when the reader is gone. */
  flush(): Promise<void>;
  /** Resolves when all is written, and that it was all. */
  finish(): Promise<void>;
}

/** The rows of one trace. */
export interface CellWriter {
  /** For each column of the result its position in the table. Comes once, before the first cells. */
  place(places: readonly number[]): void;
  /**
   * The batches of one result of the trace, in turn. Yields, between two rows, when it is time to flush.
   * @throws type_mismatch, internal
   */
  write(bytes: Uint8Array, batches: readonly CellsBatch[]): Generator<void>;
}
