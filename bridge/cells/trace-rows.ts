/** Converts the encoded QueryResults of one trace into rows of the table, in one pass over the bytes. */

import { BigtraceError } from '../../lib/common/errors.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { ResultStream } from '../../lib/query-result/stream.ts';
import { matchColumns } from '../columns/columns.ts';
import type { CellWriter } from './row-writer.ts';

/** The columns of the table, and the positions of the first trace's columns in it. All traces of a query share it. */
export class Table {
  readonly #names: readonly string[];
  #first: { trace: string; names: readonly string[]; positions: number[] } | undefined;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /**
   * Returns, for each column of a trace's result, its position in the table.
   * @throws columns_mismatch if the columns do not match the table's, or differ from those of the first trace
   */
  positionsOf(trace: string, names: readonly string[]): readonly number[] {
    if (this.#first === undefined)
      this.#first = { trace, names, positions: matchColumns(names, this.#names) };
    const first = this.#first;
    if (names.length === first.names.length && names.every((name, at) => name === first.names[at]))
      return first.positions;
    const list = (all: readonly string[]): string => printable(all.join(', '));
    throw new BigtraceError(
      'columns_mismatch',
      `columns (${list(names)}) differ from those of ${first.trace} (${list(first.names)})`,
    );
  }
}

export class TraceRows {
  readonly #trace: string;
  readonly #table: Table;
  readonly #cells: CellWriter;
  readonly #stream = new ResultStream();

  constructor(trace: Uint8Array, table: Table, cells: CellWriter) {
    this.#trace = printable(textFromBytes(trace));
    this.#table = table;
    this.#cells = cells;
  }

  /**
   * Writes the rows of the trace's next result. Yields when the caller should flush.
   * @throws BigtraceError that names the trace
   */
  *write(result: Uint8Array): Generator<void> {
    try {
      const isFirst = this.#stream.columnNames === undefined;
      const { buffer, batches } = this.#stream.next(result);
      const names = this.#stream.columnNames ?? [];
      if (names.length === 0) return; // a script whose last statement has no columns
      if (isFirst) this.#cells.mapColumns(this.#table.positionsOf(this.#trace, names));
      yield* this.#cells.write(buffer, batches);
    } catch (error) {
      throw error instanceof BigtraceError && error.trace === undefined
        ? error.ofTrace(this.#trace)
        : error;
    }
  }

  /** To be called after the trace's last result. @throws internal if its last batch is missing */
  end(): void {
    if (!this.#stream.complete)
      throw new BigtraceError('internal', 'the result ended before its last batch', {
        trace: this.#trace,
      });
  }
}
