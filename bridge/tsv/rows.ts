/** Writes rows as ClickHouse's TSV. */
import { CellType } from '../../lib/query-result/cell-type.ts';
import type { CellsBatch } from '../../lib/query-result/reader.ts';
import { BatchValues } from '../cells/batch-values.ts';
import { Int64 } from '../cells/int64.ts';
import type { CellWriter, RowWriter } from '../cells/row-writer.ts';
import { MARK, type TableColumn } from '../columns/structure.ts';
import type { Output } from '../output.ts';
import { ColumnWriter } from './column-writer.ts';
import { escapeBytes, NEWLINE, NUMBER_BYTES, Specials, TAB } from './fields.ts';

export class TsvRows implements RowWriter {
  readonly #writers: ColumnWriter[];
  readonly #output: Output;
  readonly #endMark: Buffer | undefined;
  /** Values of the current batch. */
  readonly #values = new BatchValues();

  constructor(columns: readonly TableColumn[], output: Output, endMark?: Buffer) {
    this.#writers = columns.map((column) => new ColumnWriter(column));
    this.#output = output;
    this.#endMark = endMark;
  }

  trace(address: Uint8Array): CellWriter {
    return new TsvTrace(address, this.#writers, this.#values, this.#output);
  }

  heartbeat(): void {
    this.#mark(MARK.HEARTBEAT, new Uint8Array());
  }

  failure(trace: Uint8Array): void {
    this.#mark(MARK.FAILURE, trace);
  }

  flush(): Promise<void> {
    return this.#output.flush();
  }

  finish(): Promise<void> {
    if (this.#endMark !== undefined) this.#output.append(this.#endMark);
    return this.#output.drain();
  }

  #mark(mark: number, trace: Uint8Array): void {
    const fillers = this.#writers.map(({ filler }) => `\t${filler}`).join('');
    const row = [Buffer.from(`${mark}\t`), escapeBytes(trace), Buffer.from(`${fillers}\n`)];
    this.#output.append(Buffer.concat(row));
  }
}

class TsvTrace implements CellWriter {
  /** One writer per column, in the order of the table. */
  readonly #tableWriters: readonly ColumnWriter[];
  readonly #output: Output;
  /** The first two fields of each row: MARK.ROW, and the address of the trace. */
  readonly #prefix: Buffer;
  readonly #values: BatchValues;
  /** Index in `#values` of the cell that is written next. */
  #cell = 0;
  readonly #int64 = new Int64();
  /** The same writers, in the order of the result. */
  #writers: ColumnWriter[] = [];
  /** For each column of the table, its position in the result; undefined if both have the same order. */
  #order: number[] | undefined;
  /** Offset in the row at which each of its cells ends; used with `#order` only. */
  #ends: Int32Array = new Int32Array(0);
  /** The most bytes that the prefix and the numbers of a row need. */
  #spare = 0;
  #column = 0;
  #rowFrom = 0;
  /** The beginning of a row whose other cells come with the next result. */
  #unfinished: Buffer | undefined;

  constructor(
    trace: Uint8Array,
    writers: readonly ColumnWriter[],
    values: BatchValues,
    output: Output,
  ) {
    this.#tableWriters = writers;
    this.#values = values;
    this.#output = output;
    this.#prefix = Buffer.concat([Buffer.from(`${MARK.ROW}\t`), escapeBytes(trace)]);
  }

  mapColumns(positions: readonly number[]): void {
    this.#writers = positions.flatMap((position) => this.#tableWriters[position] ?? []);
    this.#ends = new Int32Array(positions.length);
    this.#spare = this.#prefix.length + (positions.length + 1) * NUMBER_BYTES;
    if (positions.some((position, index) => position !== index))
      this.#order = this.#tableWriters.map((_, index) => positions.indexOf(index));
  }

  *write(bytes: Uint8Array, batches: readonly CellsBatch[]): Generator<void> {
    const output = this.#output;
    this.#rowFrom = output.at;
    if (this.#unfinished !== undefined) {
      output.reserve(this.#unfinished.length + this.#spare);
      output.at += this.#unfinished.copy(output.buffer, output.at);
      this.#unfinished = undefined;
    }
    for (const batch of batches) {
      this.#values.open(bytes, batch);
      const specials = new Specials(this.#values.bytes, batch.stringsTo);
      while (this.#values.next(this.#writers.length)) {
        this.#values.read();
        this.#cell = 0;
        while (!this.#rows(specials)) {
          yield;
          this.#rowFrom = output.at;
        }
      }
    }
    if (this.#column === 0) return;
    this.#unfinished = Buffer.from(output.buffer.subarray(this.#rowFrom, output.at));
    output.at = this.#rowFrom;
  }

  /** Writes cells. Returns true at the end of the piece, or false if the output is full after a row. */
  #rows(specials: Specials): boolean {
    const output = this.#output;
    const columns = this.#writers.length;
    while (this.#cell < this.#values.count) {
      if (this.#column === 0) {
        if (output.full) return false;
        output.reserve(this.#spare);
        output.at += this.#prefix.copy(output.buffer, output.at);
      }
      if (this.#order === undefined) output.buffer[output.at++] = TAB;
      const writer = this.#writers[this.#column];
      if (writer !== undefined) this.#write(writer, specials);
      this.#cell++;
      this.#ends[this.#column] = output.at - this.#rowFrom;
      if (++this.#column < columns) continue;
      if (this.#order !== undefined) this.#reorder(this.#order);
      output.buffer[output.at++] = NEWLINE;
      this.#rowFrom = output.at;
      this.#column = 0;
    }
    return true;
  }

  #write(writer: ColumnWriter, specials: Specials): void {
    const output = this.#output;
    const values = this.#values;
    const number = values.numbers[this.#cell] as number;
    switch (values.types[this.#cell]) {
      case CellType.VARINT:
        this.#int64.set(values.words[number * 2 + 1] as number, values.words[number * 2] as number);
        writer.int64(output, this.#int64);
        break;
      case CellType.STRING:
        writer.text(output, values.bytes, values.texts[number] as number, specials, this.#spare);
        break;
      case CellType.NULL:
        writer.null(output);
        break;
      case CellType.FLOAT64:
        writer.double(output, values.double(number));
        break;
      default:
        writer.blob(output, values.bytes, ...values.blob(number), this.#spare);
    }
  }

  /** Rewrites the current row, whose cells are in the result's order without separators, in the order of the table. */
  #reorder(order: readonly number[]): void {
    const output = this.#output;
    const cells = Buffer.from(output.buffer.subarray(this.#rowFrom, output.at));
    output.at = this.#rowFrom + this.#prefix.length;
    output.reserve(cells.length + this.#spare);
    for (const column of order) {
      const from = column === 0 ? this.#prefix.length : (this.#ends[column - 1] ?? 0);
      output.buffer[output.at++] = TAB;
      output.at += cells.copy(output.buffer, output.at, from, this.#ends[column]);
    }
  }
}
