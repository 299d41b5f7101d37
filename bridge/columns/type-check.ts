/** Checks whether a value fits its column. If not, the error tells the client why, and what to do. */
import { printable, textFromBytes } from '../../lib/common/text/byte-text.ts';
import { doubleText } from '../../lib/common/text/double-text.ts';
import { CellType } from '../../lib/query-result/cell-type.ts';
import type { Int64 } from '../cells/int64.ts';
import { type BaseType, GUESSED_TYPE } from './column-type.ts';
import type { TableColumn } from './structure.ts';
import { TypeMismatch } from './type-mismatch.ts';

/** Bounds of the types narrower than the engine's int64. */
const BOUNDS: Partial<Record<BaseType, readonly [number, number]>> = {
  Int8: [-(2 ** 7), 2 ** 7 - 1],
  Int16: [-(2 ** 15), 2 ** 15 - 1],
  Int32: [-(2 ** 31), 2 ** 31 - 1],
  UInt8: [0, 2 ** 8 - 1],
  UInt16: [0, 2 ** 16 - 1],
  UInt32: [0, 2 ** 32 - 1],
  Bool: [0, 1],
};

const VALUE_LENGTH_MAX = 80;

const DOUBLE_KIND = 1 << CellType.FLOAT64;
const TEXT_KIND = 1 << CellType.STRING;
const BLOB_KIND = 1 << CellType.BLOB;
/** For a value that no found type could hold with the others: a number with text, a large integer with doubles. */
const NOTHING_TO_LEARN = 0;

/** The checks of one column. All throw type_mismatch. */
export class ColumnCheck {
  readonly base: BaseType;
  readonly nullable: boolean;
  readonly #column: TableColumn;
  readonly #bounds: readonly [number, number] | undefined;

  constructor(column: TableColumn) {
    this.#column = column;
    this.base = column.type.base;
    this.nullable = column.type.nullable;
    this.#bounds = BOUNDS[column.type.base];
  }

  null(): void {
    if (!this.nullable) throw this.#mismatch('NULL', `Nullable(${this.base})`);
  }

  integer(value: Int64): void {
    if (this.base === 'Int64' || (this.base === 'String' && !this.#column.exact)) return;
    const text = (): string => `integer ${value.bigint}`;
    if (this.base === 'String') throw this.#mismatch(text(), 'String');
    const fits =
      this.#bounds !== undefined
        ? value.safe && value.number >= this.#bounds[0] && value.number <= this.#bounds[1]
        : this.base === 'UInt64'
          ? !value.negative
          : this.#holdsExactly(value);
    if (fits) return;
    // Only text can hold doubles and every integer.
    const isFloat = this.base.startsWith('Float');
    throw this.#mismatch(text(), isFloat ? 'String' : this.#widerThanInteger());
  }

  /** Checks a double that is written as text into a String column. */
  asText(value: number): void {
    if (this.#column.exact) throw this.#mismatch(`number ${doubleText(value)}`, 'String');
  }

  /** Checks a double that is written into a Float32 column: it must not overflow. */
  float32(value: number): void {
    if (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
      throw this.#mismatch(`number ${doubleText(value)}`, 'Float64', DOUBLE_KIND);
  }

  /** Returns a double without fraction as the integer to write into an integer column. */
  whole(value: number): bigint {
    const [min, max] =
      this.#bounds ?? (this.base === 'UInt64' ? [0, 2 ** 64] : [-(2 ** 63), 2 ** 63]);
    const inside = value >= min && (this.#bounds === undefined ? value < max : value <= max);
    if (!Number.isInteger(value) || !inside || this.base === 'Bool')
      throw this.#mismatch(`number ${doubleText(value)}`, 'Float64', DOUBLE_KIND);
    return BigInt(value);
  }

  text(text: Uint8Array): void {
    if (this.base !== 'String')
      throw this.#mismatch(`text '${clip(text)}'`, 'String', this.#ifGuessed(TEXT_KIND));
  }

  blob(length: number): void {
    if (this.base !== 'String')
      throw this.#mismatch(`a blob of ${length} bytes`, 'String', this.#ifGuessed(BLOB_KIND));
  }

  #holdsExactly(value: Int64): boolean {
    const { number, safe } = value;
    const nearest = this.base === 'Float32' ? Math.fround(number) : number;
    return safe ? nearest === number : BigInt(nearest) === value.bigint;
  }

  #widerThanInteger(): string {
    return this.base.startsWith('U') ? 'Int64' : 'a wider type, such as Int64';
  }

  /** Text changes the found type only if nothing was known of the column: a column of numbers stays one. */
  #ifGuessed(kinds: number): number {
    return this.#column.type.text === GUESSED_TYPE ? kinds : NOTHING_TO_LEARN;
  }

  #mismatch(value: string, wider: string, kinds = NOTHING_TO_LEARN): TypeMismatch {
    return new TypeMismatch({ column: this.#column, value, wider, kinds });
  }
}

function clip(bytes: Uint8Array): string {
  const text = printable(textFromBytes(bytes.subarray(0, VALUE_LENGTH_MAX * 4)));
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text;
}
