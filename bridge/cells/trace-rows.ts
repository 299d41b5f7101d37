/** The answer of one trace on its way from encoded QueryResults to rows of the table: one pass over the bytes. */

import { BigtraceError } from '../../lib/common/errors.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { ResultStream } from '../../lib/query-result/stream.ts';
import { matchColumns } from '../columns/columns.ts';
import type { CellWriter } from './row-writer.ts';

/** The table's columns, and how those of the first trace lie in them; shared by the traces of a query. */
export class Table {
  readonly #names: readonly string[];
  #first: { trace: string; names: readonly string[]; places: number[] } | undefined;

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /**
   * For each column of a trace's result its position in the table.
   * @throws columns_mismatch
   */
  place(trace: string, names: readonly string[]): readonly number[] {
    if (this.#first === undefined)
      this.#first = { trace, names, places: matchColumns(names, this.#names) };
    const first = this.#first;
    if (names.length === first.names.length && names.every((name, at) => name === first.names[at]))
      return first.places;
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
   * Writes the rows of the trace's next result. Yields whenever it is time to flush.
   * @throws BigtraceError, which names the trace
   */
  *write(result: Uint8Array): Generator<void> {
    try {
      const isFirst = this.#stream.columnNames === undefined;
      const { buffer, batches } = this.#stream.next(result);
      const names = this.#stream.columnNames ?? [];
      if (names.length === 0) return; // a script whose last statement has no columns
      if (isFirst) this.#cells.place(this.#table.place(this.#trace, names));
      yield* this.#cells.write(buffer, batches);
    } catch (error) {
      throw error instanceof BigtraceError && error.trace === undefined
        ? error.ofTrace(this.#trace)
        : error;
    }
  }

  /** @throws internal, where the trace's last batch has not come. */
  end(): void {
    if (!this.#stream.complete)
      throw new BigtraceError('internal', 'the answer ended before its last batch', {
        trace: this.#trace,
      });
  }
}
