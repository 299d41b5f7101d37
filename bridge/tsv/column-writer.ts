/** Writes values as fields of TSV, in the form that the type of the column requires. */

import type { Int64 } from '../cells/int64.ts';
import type { BaseType } from '../columns/column-type.ts';
import type { TableColumn } from '../columns/structure.ts';
import { ColumnCheck } from '../columns/type-check.ts';
import type { Output } from '../output.ts';
import {
  type Specials,
  writeAscii,
  writeBytes,
  writeDouble,
  writeInt64,
  writeNull,
  writeText,
} from './fields.ts';

/**
 * Writes the cells of one column of the table. For a number or a NULL, the caller has made NUMBER_BYTES of room.
 * Every method throws type_mismatch if the value does not fit the column.
 */
export class ColumnWriter {
  readonly #fit: ColumnCheck;
  readonly #base: BaseType;

  constructor(column: TableColumn) {
    this.#fit = new ColumnCheck(column);
    this.#base = column.type.base;
  }

  /** The field of this column in rows that are no data (heartbeats, failures). */
  get filler(): string {
    if (this.#fit.nullable) return '\\N';
    if (this.#base === 'String') return '';
    return this.#base === 'Bool' ? 'false' : '0';
  }

  null(output: Output): void {
    this.#fit.null();
    writeNull(output);
  }

  int64(output: Output, value: Int64): void {
    this.#fit.integer(value);
    if (this.#base === 'Bool') writeAscii(output, value.low === 1 ? 'true' : 'false');
    else writeInt64(output, value);
  }

  double(output: Output, value: number): void {
    if (this.#base === 'Float32') this.#fit.float32(value);
    if (this.#base === 'String') this.#fit.asText(value);
    if (this.#base.startsWith('Float') || this.#base === 'String') writeDouble(output, value);
    else writeAscii(output, this.#fit.whole(value).toString());
  }

  /** Writes the NUL-terminated text at `from`. */
  text(output: Output, bytes: Buffer, from: number, specials: Specials, spare: number): void {
    if (this.#base !== 'String') this.#fit.text(bytes.subarray(from, bytes.indexOf(0, from)));
    writeText(output, bytes, from, specials, spare);
  }

  blob(output: Output, bytes: Uint8Array, from: number, to: number, spare: number): void {
    this.#fit.blob(to - from);
    writeBytes(output, bytes, from, to, spare);
  }
}
