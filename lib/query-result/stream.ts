/** Checks the sequence of one trace's results: columns come with the first, and rows may span results. */
import { BigtraceError } from '../common/errors.ts';
import { type QueryResult, readQueryResult } from './reader.ts';
import { malformed } from './wire.ts';

export class ResultStream {
  /** Column names as the engine returns them; undefined before the first result. */
  columnNames: string[] | undefined;
  #cells = 0;
  #complete = false;

  /**
   * Reads the next result of the trace.
   * @throws BigtraceError sql_failed with the engine's message when the script failed; internal when the result
   * is malformed or does not continue the previous ones
   */
  next(bytes: Uint8Array): QueryResult {
    const result = readQueryResult(bytes);
    if (result.error !== undefined) throw new BigtraceError('sql_failed', result.error);
    if (this.columnNames === undefined) this.columnNames = result.columnNames;
    else if (result.columnNames.length > 0) throw malformed('column names come twice');
    for (const batch of result.batches) {
      if (this.#complete) throw malformed('a batch follows the last');
      const cells = batch.cellsTo - batch.cellsFrom;
      if (cells > 0 && this.columnNames.length === 0) throw malformed('cells without columns');
      this.#cells += cells;
      this.#complete = batch.isLast;
    }
    if (this.#complete) this.#checkWholeRows();
    return result;
  }

  /** Cells read so far. The first cell of the next result belongs to column `cells % columns`. */
  get cells(): number {
    return this.#cells;
  }

  /** Whole rows read so far. */
  get rows(): number {
    const columns = this.columnNames?.length ?? 0;
    return columns === 0 ? 0 : Math.floor(this.#cells / columns);
  }

  /** Whether the batch with `is_last_batch` was read. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Call this after the trace's last result. @throws BigtraceError internal when the last batch is missing */
  end(): void {
    if (!this.#complete) throw malformed('the last batch is missing');
  }

  #checkWholeRows(): void {
    const columns = this.columnNames?.length ?? 0;
    if (columns > 0 && this.#cells % columns !== 0) throw malformed('the last row is cut short');
  }
}
