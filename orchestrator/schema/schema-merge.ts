/** Merges the columns of a query from those of sampled traces; pure. */

import { BigtraceError } from '../../lib/common/errors.ts';
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import type { Column } from '../../lib/proto/messages.ts';

/** Sets of cell kinds: bit `1 << CellType` (lib/query-result/cell-type.ts). */
const NULL_KIND = 1 << 1;
const NUMBER_KINDS = (1 << 2) | (1 << 3);
const TEXT_KINDS = (1 << 4) | (1 << 5);

interface Merged {
  name: Buffer;
  /** Kinds of all cells seen. */
  cellKinds: number;
  /** Kinds that cells may have, as inferred by the workers; 0 when no worker could infer them. */
  possibleKinds: number;
}

export class ColumnMerge {
  #columns: Merged[] | undefined;
  /** The first trace that returned columns. */
  #first = '';

  /**
   * The merged columns; undefined while no trace has returned a column. A column of which no value was seen has its
   * possible kinds if these are of one type.
   */
  get columns(): Column[] | undefined {
    if (this.#isNoQuery) return undefined;
    return this.#columns?.map(({ name, cellKinds, possibleKinds }) => ({
      name,
      cellKinds:
        hasValue(cellKinds) || !isOfOneType(possibleKinds) ? cellKinds : cellKinds | possibleKinds,
      ...{ possibleKinds: 0, learnedKinds: 0 },
    }));
  }

  /**
   * Whether the script ends without a SELECT. TraceProcessor returns the columns of `SELECT 0 WHERE 0` for CREATE and
   * INCLUDE; for a real `SELECT 0 WHERE 0` the worker infers possible kinds.
   */
  get #isNoQuery(): boolean {
    const [first, second] = this.#columns ?? [];
    const isZero = first?.name.toString() === '0' && second === undefined;
    return isZero && first.cellKinds === 0 && first.possibleKinds === 0;
  }

  /** Whether a type is known for each column. @param isKnown whether kinds of a column were learned earlier */
  certain(isKnown: (column: number) => boolean): boolean {
    if (this.#isNoQuery) return true;
    return (
      this.#columns?.every(
        ({ cellKinds, possibleKinds }, at) =>
          hasValue(cellKinds) || isOfOneType(possibleKinds) || isKnown(at),
      ) === true
    );
  }

  /** Adds the columns of one trace. @throws columns_mismatch when they differ from those of the traces before */
  add(trace: Buffer, columns: Column[]): void {
    if (columns.length === 0) return;
    if (this.#columns === undefined) {
      this.#columns = columns.map(({ name, cellKinds, possibleKinds }) => ({
        name,
        cellKinds,
        possibleKinds,
      }));
      this.#first = printable(textFromBytes(trace));
      return;
    }
    const merged = this.#columns;
    const same =
      merged.length === columns.length &&
      merged.every(({ name }, at) => columns[at]?.name.equals(name));
    if (!same)
      throw new BigtraceError(
        'columns_mismatch',
        `columns are ${named(columns)}, but those of ${this.#first} are ${named(merged)}`,
        { trace: printable(textFromBytes(trace)) },
      );
    merged.forEach((column, at) => {
      column.cellKinds |= columns[at]?.cellKinds ?? 0;
      column.possibleKinds |= columns[at]?.possibleKinds ?? 0;
    });
  }
}

function hasValue(kinds: number): boolean {
  return (kinds & ~NULL_KIND) !== 0;
}

/** Whether the kinds other than NULL are all numbers, or all text and bytes. */
function isOfOneType(kinds: number): boolean {
  const values = kinds & ~NULL_KIND;
  return values !== 0 && ((values & ~NUMBER_KINDS) === 0 || (values & ~TEXT_KINDS) === 0);
}

function named(columns: readonly { name: Buffer }[]): string {
  return `(${columns.map(({ name }) => printable(textFromBytes(name))).join(', ')})`;
}
