/** Values into columns: each kind of cell as the column's type has it, or the reason why it does not fit. */
import { printable, textFromBytes } from '../common/byte-text.ts';
import { BigtraceError } from '../common/errors.ts';
import type { BaseType } from './column-type.ts';
import {
  doubleText,
  type Int64,
  type Specials,
  writeAscii,
  writeBytes,
  writeDouble,
  writeInt64,
  writeNull,
  writeText,
} from './fields.ts';
import type { Output } from './output.ts';
import type { TableColumn } from './structure.ts';

/** Bounds of the integer types that are narrower than the engine's int64. */
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

/** Writes cells of one column of the table. Numbers need NUMBER_BYTES of room, made by the caller. */
export class ColumnWriter {
  readonly #column: TableColumn;
  readonly #base: BaseType;
  readonly #bounds: readonly [number, number] | undefined;

  constructor(column: TableColumn) {
    this.#column = column;
    this.#base = column.type.base;
    this.#bounds = BOUNDS[column.type.base];
  }

  /** What stands in the column of a heartbeat row. */
  get filler(): string {
    if (this.#column.type.nullable) return '\\N';
    if (this.#base === 'String') return '';
    return this.#base === 'Bool' ? 'false' : '0';
  }

  null(output: Output): void {
    if (!this.#column.type.nullable) throw this.#misfit('NULL', `make it Nullable(${this.#base})`);
    writeNull(output);
  }

  int64(output: Output, value: Int64): void {
    if (this.#base === 'Int64' || this.#base === 'String') writeInt64(output, value);
    else this.#narrow(output, value);
  }

  #narrow(output: Output, value: Int64): void {
    const fits =
      this.#bounds !== undefined
        ? value.safe && value.number >= this.#bounds[0] && value.number <= this.#bounds[1]
        : this.#base === 'UInt64'
          ? !value.negative
          : this.#holdsExactly(value);
    if (!fits) throw this.#misfit(`integer ${value.bigint}`, this.#widerThanInteger());
    if (this.#base === 'Bool') writeAscii(output, value.low === 1 ? 'true' : 'false');
    else writeInt64(output, value);
  }

  double(output: Output, value: number): void {
    if (this.#base === 'Float64' || this.#base === 'String') writeDouble(output, value);
    else if (this.#base === 'Float32') this.#float32(output, value);
    else this.#whole(output, value);
  }

  /** NUL-terminated text at `from`; returns the position after its NUL. */
  text(output: Output, bytes: Buffer, from: number, specials: Specials, spare: number): number {
    if (this.#base === 'String') return writeText(output, bytes, from, specials, spare);
    throw this.#misfit(
      `text '${clip(bytes.subarray(from, bytes.indexOf(0, from)))}'`,
      'make it String',
    );
  }

  blob(output: Output, bytes: Uint8Array, from: number, to: number, spare: number): void {
    if (this.#base !== 'String')
      throw this.#misfit(`a blob of ${to - from} bytes`, 'make it String');
    writeBytes(output, bytes, from, to, spare);
  }

  #float32(output: Output, value: number): void {
    if (Number.isFinite(value) && !Number.isFinite(Math.fround(value)))
      throw this.#misfit(`number ${doubleText(value)}`, 'make it Float64');
    writeDouble(output, value);
  }

  /** A double that is whole may stand in a column of integers. */
  #whole(output: Output, value: number): void {
    const [min, max] =
      this.#bounds ?? (this.#base === 'UInt64' ? [0, 2 ** 64] : [-(2 ** 63), 2 ** 63]);
    const inside = value >= min && (this.#bounds === undefined ? value < max : value <= max);
    if (!Number.isInteger(value) || !inside || this.#base === 'Bool')
      throw this.#misfit(`number ${doubleText(value)}`, 'make it Float64');
    writeAscii(output, BigInt(value).toString());
  }

  #holdsExactly(value: Int64): boolean {
    const nearest = this.#base === 'Float32' ? Math.fround(value.number) : value.number;
    return BigInt(nearest) === value.bigint;
  }

  #widerThanInteger(): string {
    return this.#base.startsWith('Float') || this.#base.startsWith('U')
      ? 'make it Int64'
      : 'make it a wider type, such as Int64';
  }

  #misfit(value: string, advice: string): BigtraceError {
    const { name, type } = this.#column;
    return new BigtraceError(
      'type_mismatch',
      `column ${printable(name)} is ${type.text} and cannot hold ${value}; ` +
        `${advice} (bigtrace_as takes a structure), or CAST it in the query`,
    );
  }
}

function clip(bytes: Uint8Array): string {
  const text = printable(textFromBytes(bytes.subarray(0, VALUE_LENGTH_MAX * 4)));
  return text.length > VALUE_LENGTH_MAX ? `${text.slice(0, VALUE_LENGTH_MAX)}…` : text;
}
