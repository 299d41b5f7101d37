/** Columns whose values have a fixed width: numbers and Bool. */
import { CellType } from '../../lib/query-result/cell-type.ts';
import type { BatchValues } from '../cells/batch-values.ts';
import type { TableColumn } from '../columns/structure.ts';
import type { Output } from '../output.ts';
import { EMPTY, grown, NativeColumn, type Source } from './column.ts';

/** A column whose values all have the same width. */
abstract class FixedColumn extends NativeColumn {
  protected bytes: Buffer = EMPTY;
  readonly #width: number;

  constructor(column: TableColumn, width: number) {
    super(column);
    this.#width = width;
  }

  protected override reserve(rows: number): void {
    super.reserve(rows);
    const needed = (this.rows + rows) * this.#width;
    if (this.bytes.length >= needed) return;
    const larger = Buffer.allocUnsafeSlow(grown(needed));
    this.bytes.copy(larger);
    this.bytes = larger;
    this.onGrown();
  }

  protected onGrown(): void {}

  /** Adds cells that are already encoded, with 1 in `nulls` for each NULL. */
  words(words: Uint8Array, nulls: Uint8Array): void {
    this.reserve(nulls.length);
    this.bytes.set(words, this.rows * this.#width);
    this.rows += nulls.length;
    this.nulls(nulls);
  }

  protected text({ bytes }: Source, from: number, to: number): void {
    this.fit.text(bytes.subarray(from, to));
  }

  protected blob(_source: Source, from: number, to: number): void {
    this.fit.blob(to - from);
  }

  protected putFiller(): void {
    const at = this.rows++ * this.#width;
    this.bytes.fill(0, at, at + this.#width);
  }

  protected takeLast(): Buffer {
    const at = --this.rows * this.#width;
    return Buffer.from(this.bytes.subarray(at, at + this.#width));
  }

  protected putAgain(value: Buffer): void {
    value.copy(this.bytes, this.rows++ * this.#width);
  }

  protected writeValues(output: Output): void {
    output.append(this.bytes.subarray(0, this.rows * this.#width));
  }

  protected clearValues(): void {}
}

/** Int64 is the type of most columns. */
export class Int64Column extends FixedColumn {
  #words: Int32Array = new Int32Array(0);

  constructor(column: TableColumn) {
    super(column, 8);
  }

  protected override onGrown(): void {
    this.#words = new Int32Array(this.bytes.buffer);
  }

  /** Overridden because its own loop is several times as fast. */
  override take(values: BatchValues, first: number, step: number): void {
    this.reserve(Math.ceil(values.count / step));
    const { count, types, numbers, words: source } = values;
    const words = this.#words;
    let row = this.rows;
    for (let cell = first; cell < count; cell += step) {
      if (types[cell] === CellType.VARINT) {
        const from = (numbers[cell] as number) * 2;
        words[row * 2] = source[from] as number;
        words[row * 2 + 1] = source[from + 1] as number;
      } else {
        this.rows = row;
        this.takeCell(values, cell);
      }
      row++;
    }
    this.rows = row;
  }

  protected integer(high: number, low: number): void {
    const at = this.rows++ * 2;
    this.#words[at] = low;
    this.#words[at + 1] = high;
  }

  protected double(value: number): void {
    this.bytes.writeBigInt64LE(this.fit.whole(value), this.rows++ * 8);
  }
}

export class Float64Column extends FixedColumn {
  constructor(column: TableColumn) {
    super(column, 8);
  }

  protected integer(high: number, low: number): void {
    this.integerValue.set(high, low);
    this.fit.integer(this.integerValue);
    this.double(this.integerValue.number);
  }

  protected double(value: number): void {
    this.bytes.writeDoubleLE(value, this.rows++ * 8);
  }
}

const NARROW_WIDTH = {
  Bool: 1,
  Int8: 1,
  UInt8: 1,
  Int16: 2,
  UInt16: 2,
  Int32: 4,
  UInt32: 4,
  Float32: 4,
  UInt64: 8,
} as const;

export type NarrowType = keyof typeof NARROW_WIDTH;

/** The rarer types. Each value is checked. */
export class NarrowColumn extends FixedColumn {
  readonly #base: NarrowType;

  constructor(column: TableColumn, base: NarrowType) {
    super(column, NARROW_WIDTH[base]);
    this.#base = base;
  }

  protected integer(high: number, low: number): void {
    this.integerValue.set(high, low);
    this.fit.integer(this.integerValue);
    if (this.#base === 'UInt64') this.#putUnsigned(this.integerValue.bigint);
    else this.#put(this.integerValue.number);
  }

  protected double(value: number): void {
    if (this.#base === 'Float32') {
      this.fit.float32(value);
      this.#put(value);
    } else if (this.#base === 'UInt64') this.#putUnsigned(this.fit.whole(value));
    else this.#put(Number(this.fit.whole(value)));
  }

  #putUnsigned(value: bigint): void {
    this.bytes.writeBigUInt64LE(value, this.rows++ * 8);
  }

  #put(value: number): void {
    const { bytes } = this;
    const row = this.rows++;
    if (this.#base === 'Float32') bytes.writeFloatLE(value, row * 4);
    else if (this.#base === 'Int8') bytes.writeInt8(value, row);
    else if (this.#base === 'Int16') bytes.writeInt16LE(value, row * 2);
    else if (this.#base === 'Int32') bytes.writeInt32LE(value, row * 4);
    else if (this.#base === 'UInt16') bytes.writeUInt16LE(value, row * 2);
    else if (this.#base === 'UInt32') bytes.writeUInt32LE(value, row * 4);
    else bytes.writeUInt8(value, row); // UInt8, Bool
  }
}
