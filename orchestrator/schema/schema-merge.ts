/** The columns of a query out of those of some of its traces; pure. */

import { BigtraceError } from '../../lib/common/errors.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { Column } from '../../lib/proto/messages.ts';

/** Bits of a set of cell kinds. */
const NULL_KIND = 1 << 1;
const NUMBER_KINDS = (1 << 2) | (1 << 3);
const TEXT_KINDS = (1 << 4) | (1 << 5);

interface Merged {
  name: Buffer;
  /** Of all cells that were seen. */
  cellKinds: number;
  /** Of those that may be, as the workers infer it; 0 where none could. */
  possibleKinds: number;
}

export class ColumnMerge {
  #columns: Merged[] | undefined;
  /** The trace that named the columns first. */
  #first = '';

  /**
   * Undefined while no trace has answered with a column. A column without a value has the kinds that its values
   * may have, where these are of one type.
   */
  get columns(): Column[] | undefined {
    if (this.#isNoQuery) return undefined;
    return this.#columns?.map(({ name, cellKinds, possibleKinds }) => ({
      name,
      cellKinds:
        hasValue(cellKinds) || !isOfOneType(possibleKinds) ? cellKinds : cellKinds | possibleKinds,
    }));
  }

  /** TraceProcessor answers a CREATE or INCLUDE as `SELECT 0 WHERE 0`, of which a worker would tell the kinds. */
  get #isNoQuery(): boolean {
    const [first, second] = this.#columns ?? [];
    const isZero = first?.name.toString() === '0' && second === undefined;
    return isZero && first.cellKinds === 0 && first.possibleKinds === 0;
  }

  /** Whether a type is known for each column; `isKnown` tells of columns without a value. */
  certain(isKnown: (column: number) => boolean): boolean {
    if (this.#isNoQuery) return true;
    return (
      this.#columns?.every(
        ({ cellKinds, possibleKinds }, at) =>
          hasValue(cellKinds) || isOfOneType(possibleKinds) || isKnown(at),
      ) === true
    );
  }

  /** @throws columns_mismatch when the trace's columns are others */
  add(trace: Buffer, columns: Column[]): void {
    if (columns.length === 0) return;
    if (this.#columns === undefined) {
      this.#columns = columns.map(({ name, cellKinds, possibleKinds = 0 }) => ({
        name,
        cellKinds,
        possibleKinds,
      }));
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
      column.possibleKinds |= columns[at]?.possibleKinds ?? 0;
    });
  }
}

function hasValue(kinds: number): boolean {
  return (kinds & ~NULL_KIND) !== 0;
}

/** Whether they are all numbers, or all text and bytes. */
function isOfOneType(kinds: number): boolean {
  const values = kinds & ~NULL_KIND;
  return values !== 0 && ((values & ~NUMBER_KINDS) === 0 || (values & ~TEXT_KINDS) === 0);
}

function named(columns: readonly { name: Buffer }[]): string {
  return `(${columns.map(({ name }) => printable(textFromBytes(name))).join(', ')})`;
}
