/** The columns of a query out of those of some of its traces; pure. */

import { printable, textFromBytes } from '../common/byte-text.ts';
import { BigtraceError } from '../common/errors.ts';
import type { Column } from '../proto/messages.ts';

/** Bit of a NULL cell in a set of cell kinds. */
const NULL_KIND = 1 << 1;

export class ColumnMerge {
  #columns: Column[] | undefined;
  /** The trace that named the columns first. */
  #first = '';

  /** Undefined while no trace has answered with a column. */
  get columns(): Column[] | undefined {
    return this.#columns;
  }

  /** Whether every column has a cell that is not NULL. */
  get certain(): boolean {
    return this.#columns?.every(({ cellKinds }) => (cellKinds & ~NULL_KIND) !== 0) === true;
  }

  /** @throws columns_mismatch when the trace's columns are others */
  add(trace: Buffer, columns: Column[]): void {
    if (columns.length === 0) return;
    if (this.#columns === undefined) {
      this.#columns = columns.map(({ name, cellKinds }) => ({ name, cellKinds }));
      this.#first = printable(textFromBytes(trace));
      return;
    }
    const known = this.#columns;
    const same =
      known.length === columns.length &&
      known.every(({ name }, at) => columns[at]?.name.equals(name));
    if (!same)
      throw new BigtraceError(
        'columns_mismatch',
        `columns are ${named(columns)}, but those of ${this.#first} are ${named(known)}`,
        { trace: printable(textFromBytes(trace)) },
      );
    known.forEach((column, at) => {
      column.cellKinds |= columns[at]?.cellKinds ?? 0;
    });
  }
}

function named(columns: Column[]): string {
  return `(${columns.map(({ name }) => printable(textFromBytes(name))).join(', ')})`;
}
