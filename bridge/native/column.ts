/** A column of a block in ClickHouse's Native format, to which cells are added. */
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import { CellType } from '../../lib/query-result/cell-type.ts';
import type { BatchValues } from '../cells/batch-values.ts';
import { Int64 } from '../cells/int64.ts';
import type { TableColumn } from '../columns/structure.ts';
import { ColumnCheck } from '../columns/type-check.ts';
import type { Output } from '../output.ts';
import { lengthAndBytes } from './encoding.ts';

/** A cell that was removed from a column; undefined for NULL. */
export type PendingCell = Buffer | undefined;

/** Bytes, and a view of them. */
export type Source = Pick<BatchValues, 'bytes' | 'view'>;

export const EMPTY = Buffer.alloc(0);

/** The size to allocate for `bytes` bytes: a power of two, at least 1024. */
export function grown(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(bytes, 1024)));
}

/** Every method that adds cells throws type_mismatch if a value does not fit the column. */
export abstract class NativeColumn {
  rows = 0;
  protected readonly fit: ColumnCheck;
  protected readonly integerValue = new Int64();
  /** For each cell, 1 if it is NULL. */
  #nulls: Buffer = EMPTY;
  #anyNull = false;
  readonly #head: Buffer;

  constructor(column: TableColumn) {
    this.fit = new ColumnCheck(column);
    const { base, nullable } = column.type;
    const type = Buffer.from(nullable ? `Nullable(${base})` : base);
    this.#head = Buffer.concat([bytesFromText(column.name), type].map(lengthAndBytes));
  }

  get nullable(): boolean {
    return this.fit.nullable;
  }

  /** Sets, for each of the last cells, whether it is NULL (1). Does nothing if the column is not Nullable. */
  nulls(nulls: Uint8Array): void {
    if (!this.nullable) return;
    this.#nulls.set(nulls, this.rows - nulls.length);
    this.#anyNull ||= nulls.includes(1);
  }

  /** Adds every `step`th cell of a piece, from number `first` on. */
  take(values: BatchValues, first: number, step: number): void {
    this.reserve(Math.ceil(values.count / step));
    for (let cell = first; cell < values.count; cell += step) this.takeCell(values, cell);
  }

  protected takeCell(values: BatchValues, cell: number): void {
    const number = values.numbers[cell] as number;
    switch (values.types[cell]) {
      case CellType.VARINT:
        this.integer(values.words[number * 2 + 1] as number, values.words[number * 2] as number);
        break;
      case CellType.STRING:
        this.text(values, values.texts[number] as number, values.textEnd(number));
        break;
      case CellType.NULL:
        this.#null();
        break;
      case CellType.FLOAT64:
        this.double(values.double(number));
        break;
      default:
        this.blob(values, ...values.blob(number));
    }
  }

  /** Removes and returns the last cell. */
  hold(): PendingCell {
    const isNull = this.#nulls[this.rows - 1] === 1;
    const value = this.takeLast();
    this.#nulls[this.rows] = 0;
    return isNull ? undefined : value;
  }

  /** Adds a cell that `hold` returned. */
  restore(cell: PendingCell): void {
    this.reserve(1);
    if (cell === undefined) this.#null();
    else this.putAgain(cell);
  }

  writeTo(output: Output): void {
    output.append(this.#head);
    if (this.fit.nullable) output.append(this.#nulls.subarray(0, this.rows));
    this.writeValues(output);
  }

  clear(): void {
    if (this.#anyNull) this.#nulls.fill(0);
    this.#anyNull = false;
    this.rows = 0;
    this.clearValues();
  }

  /** Makes room for `rows` more cells. */
  protected reserve(rows: number): void {
    if (!this.fit.nullable || this.#nulls.length >= this.rows + rows) return;
    const larger = Buffer.alloc(grown(this.rows + rows));
    this.#nulls.copy(larger);
    this.#nulls = larger;
  }

  #null(): void {
    this.fit.null();
    this.#nulls[this.rows] = 1;
    this.#anyNull = true;
    this.putFiller();
  }

  protected abstract integer(high: number, low: number): void;
  protected abstract double(value: number): void;
  protected abstract text(source: Source, from: number, to: number): void;
  protected abstract blob(source: Source, from: number, to: number): void;
  /** Adds the value that Native has in place of a NULL. */
  protected abstract putFiller(): void;
  protected abstract takeLast(): Buffer;
  protected abstract putAgain(value: Buffer): void;
  protected abstract writeValues(output: Output): void;
  protected abstract clearValues(): void;
}
