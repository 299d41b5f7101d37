/** Interface of the writers of rows: TSV (tsv/rows.ts) and Native (native/rows.ts). */
import type { CellsBatch } from '../../lib/query-result/reader.ts';

/** Collects rows in an Output, which `flush` writes to stdout. */
export interface RowWriter {
  /** Begins the rows of a trace. The rows of several traces may alternate. */
  trace(address: Uint8Array): CellWriter;
  /** Adds a heartbeat: ClickHouse notices a cancelled query only when it reads something. */
  heartbeat(): void;
  /** Adds a row that reports a failed trace: the rows of this trace before it are void. */
  failure(trace: Uint8Array): void;
  /** Writes what was collected. Rejects if the reader has closed the pipe. */
  flush(): Promise<void>;
  /** Writes the rest and the sign that the rows are complete; resolves when the stream has taken them. */
  finish(): Promise<void>;
}

/** Adds the rows of one trace. */
export interface CellWriter {
  /** Sets, for each column of the result, its position in the table. Called once, before the first `write`. */
  mapColumns(positions: readonly number[]): void;
  /**
   * Writes the batches of the trace's next result. Yields when the caller should flush.
   * @throws type_mismatch if a value does not fit its column; internal if a batch is malformed
   */
  write(bytes: Uint8Array, batches: readonly CellsBatch[]): Generator<void>;
}
