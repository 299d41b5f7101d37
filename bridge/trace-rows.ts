/** The rows of one trace on their way from encoded QueryResults to TSV: one pass over the bytes. */
import { printable, textFromBytes } from '../common/byte-text.ts';
import { BigtraceError } from '../common/errors.ts';
import { CellType } from '../query-result/cell-type.ts';
import type { CellsBatch } from '../query-result/reader.ts';
import { ResultStream } from '../query-result/stream.ts';
import { malformed } from '../query-result/wire.ts';
import { matchColumns } from './columns.ts';
import type { ColumnWriter } from './convert.ts';
import { escapeBytes, Int64, NEWLINE, NUMBER_BYTES, Specials, TAB } from './fields.ts';
import type { Output } from './output.ts';

/** The table, and how the columns of the first trace lie in it; shared by the traces of a query. */
export class Table {
  readonly names: readonly string[];
  readonly writers: readonly ColumnWriter[];
  #first: { trace: string; names: readonly string[]; order: number[] } | undefined;

  constructor(names: readonly string[], writers: readonly ColumnWriter[]) {
    this.names = names;
    this.writers = writers;
  }

  /** A row that only says "still here". */
  get heartbeat(): Buffer {
    return this.#mark(1, new Uint8Array());
  }

  /** A row that says that a trace failed: the rows before it that are the trace's are void. */
  failure(trace: Uint8Array): Buffer {
    return this.#mark(2, trace);
  }

  /** `kind`: what stands in the hidden column, where rows have 0. */
  #mark(kind: number, trace: Uint8Array): Buffer {
    const fillers = this.writers.map(({ filler }) => `\t${filler}`).join('');
    return Buffer.concat([
      Buffer.from(`${kind}\t`),
      escapeBytes(trace),
      Buffer.from(`${fillers}\n`),
    ]);
  }

  /**
   * For each column of a trace's result its position in the table.
   * @throws columns_mismatch
   */
  place(trace: string, names: readonly string[]): readonly number[] {
    if (this.#first === undefined)
      this.#first = { trace, names, order: matchColumns(names, this.names) };
    const first = this.#first;
    if (names.length === first.names.length && names.every((name, at) => name === first.names[at]))
      return first.order;
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
  readonly #output: Output;
  readonly #stream = new ResultStream();
  /** What each row begins with: `0` (no heartbeat) and the trace's address. */
  readonly #prefix: Buffer;
  readonly #prefixWords: Int32Array;
  readonly #int64 = new Int64();
  /** Writers in the order of the result's columns. */
  #writers: ColumnWriter[] = [];
  /** Columns of the result in the order of the table's, where that is another. */
  #order: number[] | undefined;
  /** Where each cell of the row being written ends; used with `#order` only. */
  #ends: Int32Array = new Int32Array(0);
  /** Bytes that the numbers of a row need at most. */
  #spare = 0;
  #column = 0;
  #rowFrom = 0;
  /** The row that the last result left unfinished. */
  #unfinished: Buffer | undefined;

  constructor(trace: Uint8Array, table: Table, output: Output) {
    this.#trace = printable(textFromBytes(trace));
    this.#table = table;
    this.#output = output;
    this.#prefix = Buffer.concat([Buffer.from('0\t'), escapeBytes(trace)]);
    this.#prefixWords = new Int32Array(Math.ceil(this.#prefix.length / 4));
    this.#prefix.copy(Buffer.from(this.#prefixWords.buffer));
  }

  /**
   * Writes the rows of the trace's next result. Yields whenever the output is full, between two rows.
   * Where it ends or yields, the output holds whole rows only.
   * @throws BigtraceError, which names the trace
   */
  *write(result: Uint8Array): Generator<void> {
    try {
      yield* this.#write(result);
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

  *#write(bytes: Uint8Array): Generator<void> {
    const isFirst = this.#stream.columnNames === undefined;
    const { buffer, batches } = this.#stream.next(bytes);
    const names = this.#stream.columnNames ?? [];
    if (names.length === 0) return; // a script whose last statement has no columns
    if (isFirst) this.#place(names);
    const output = this.#output;
    this.#rowFrom = output.at;
    if (this.#unfinished !== undefined) {
      output.reserve(this.#unfinished.length + this.#spare);
      output.at += this.#unfinished.copy(output.buffer, output.at);
      this.#unfinished = undefined;
    }
    for (const batch of batches) {
      const cells = new BatchCursor(buffer, batch);
      while (!this.#rows(cells)) {
        yield;
        this.#rowFrom = output.at;
      }
      cells.end();
    }
    if (this.#column === 0) return;
    this.#unfinished = Buffer.from(output.buffer.subarray(this.#rowFrom, output.at));
    output.at = this.#rowFrom;
  }

  #place(names: readonly string[]): void {
    const places = this.#table.place(this.#trace, names);
    this.#writers = places.flatMap((place) => this.#table.writers[place] ?? []);
    this.#ends = new Int32Array(places.length);
    this.#spare = this.#prefix.length + (places.length + 1) * NUMBER_BYTES;
    if (places.some((place, index) => place !== index))
      this.#order = this.#table.names.map((_, index) => places.indexOf(index));
  }

  /** Writes cells until the batch ends (true) or, after a row, the output is full (false). */
  #rows(cells: BatchCursor): boolean {
    const output = this.#output;
    const columns = this.#writers.length;
    while (cells.at < cells.batch.cellsTo) {
      if (this.#column === 0) {
        if (output.full) return false;
        this.#beginRow();
      }
      if (this.#order === undefined) output.buffer[output.at++] = TAB;
      const writer = this.#writers[this.#column];
      if (writer !== undefined) this.#cell(cells, writer);
      this.#ends[this.#column] = output.at - this.#rowFrom;
      if (++this.#column < columns) continue;
      if (this.#order !== undefined) this.#reorder(this.#order);
      output.buffer[output.at++] = NEWLINE;
      this.#rowFrom = output.at;
      this.#column = 0;
    }
    return true;
  }

  #beginRow(): void {
    const output = this.#output;
    output.reserve(this.#spare);
    const { view, at } = output;
    // Word by word is quicker than a native copy; the bytes too many are written over.
    const words = this.#prefixWords;
    for (let index = 0; index < words.length; index++)
      view.setInt32(at + index * 4, words[index] as number, true);
    output.at = at + this.#prefix.length;
  }

  #cell(cells: BatchCursor, writer: ColumnWriter): void {
    const output = this.#output;
    const { buffer, batch } = cells;
    const type = buffer[cells.at++] ?? 0;
    if (type === CellType.VARINT) {
      cells.varintAt = this.#int64.read(buffer, cells.varintAt, batch.varintsTo);
      if (cells.varintAt < 0) throw malformed('a varint is missing or cut short');
      writer.int64(output, this.#int64);
    } else if (type === CellType.STRING) {
      if (cells.stringAt >= batch.stringsTo) throw malformed('a string is missing');
      cells.stringAt = writer.text(output, buffer, cells.stringAt, cells.specials, this.#spare);
    } else if (type === CellType.NULL) {
      writer.null(output);
    } else if (type === CellType.FLOAT64) {
      writer.double(output, cells.double());
    } else if (type === CellType.BLOB) {
      const from = batch.blobs[cells.blob++];
      const to = batch.blobs[cells.blob++];
      if (from === undefined || to === undefined) throw malformed('a blob is missing');
      writer.blob(output, buffer, from, to, this.#spare);
    } else {
      throw malformed(`cell type ${type}`);
    }
  }

  /** The row's cells stand in the result's order, without separators: writes them anew, in the table's. */
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

/** How far the values of a batch have been taken. */
class BatchCursor {
  readonly buffer: Buffer;
  readonly batch: CellsBatch;
  readonly specials: Specials;
  readonly #view: DataView;
  at: number;
  varintAt: number;
  stringAt: number;
  blob = 0;
  #floatAt: number;

  constructor(bytes: Uint8Array, batch: CellsBatch) {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.buffer = buffer;
    this.batch = batch;
    this.specials = new Specials(buffer, batch.stringsTo);
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    this.at = batch.cellsFrom;
    this.varintAt = batch.varintsFrom;
    this.stringAt = batch.stringsFrom;
    this.#floatAt = batch.floatsFrom;
  }

  double(): number {
    if (this.#floatAt >= this.batch.floatsTo) throw malformed('a double is missing');
    const value = this.#view.getFloat64(this.#floatAt, true);
    this.#floatAt += 8;
    return value;
  }

  end(): void {
    const { varintsTo, floatsTo, stringsTo, blobs } = this.batch;
    if (
      this.varintAt < varintsTo ||
      this.#floatAt < floatsTo ||
      this.stringAt < stringsTo ||
      this.blob < blobs.length
    )
      throw malformed('more values than cells');
  }
}
