/**
 * Writes rows in ClickHouse's Native format: blocks that have each column in one piece, which ClickHouse uses without
 * conversion. Reading the same rows as TSV takes ClickHouse several times as long.
 *
 * A block is the numbers of columns and rows, then for each column its name, type and values. A column that a block
 * omits gets its default. So a heartbeat is a block with the column `_hb` alone, the same for every query.
 *
 * ClickHouse treats the end of the pipe as the end of the rows, whatever closed it. Therefore every write ends with the
 * first byte of a heartbeat: a pipe that closes too early then ends within a block, which is an error. bigtrace.sh
 * writes the first of these bytes before it starts the process that could be killed.
 */
import type { CellsBatch } from '../../lib/query-result/reader.ts';
import { BatchValues } from '../cells/batch-values.ts';
import type { CellWriter, RowWriter } from '../cells/row-writer.ts';
import { HEARTBEAT_COLUMN, MARK, type TableColumn, TRACE_COLUMN } from '../columns/structure.ts';
import type { Output } from '../output.ts';
import type { NativeColumn, PendingCell } from './column.ts';
import { lengthAndBytes, writeLength } from './encoding.ts';
import { Float64Column, Int64Column, NarrowColumn } from './fixed-columns.ts';
import { StringColumn, type TextRoom } from './string-column.ts';
import { takeUniform } from './uniform.ts';

/** A block is written when it has this many rows, or bytes of texts in all columns. */
const FULL_ROWS = 16 * 1024;
const FULL_BYTES = 2 ** 20;

function column(name: string, type: string | Buffer, ...values: Uint8Array[]): Buffer {
  const typeBytes = typeof type === 'string' ? Buffer.from(type) : type;
  const head = [Buffer.from(name), typeBytes].map(lengthAndBytes);
  return Buffer.concat([...head, ...values]);
}

function blockHead(columns: number, rows: number): Buffer {
  const head = Buffer.alloc(10);
  return head.subarray(0, writeLength(head, writeLength(head, 0, columns), rows));
}

function markColumn(mark: number): Buffer {
  return column(HEARTBEAT_COLUMN, 'UInt8', Buffer.of(mark));
}

/** The blocks between the rows. All begin with the same byte. */
export interface Beats {
  /** Completes a heartbeat that was begun, before rows or the end. */
  short: Buffer;
  /** Written while there are no rows. */
  long: Buffer;
}

const HEARTBEAT = Buffer.concat([blockHead(1, 1), markColumn(MARK.HEARTBEAT)]);

/** For a pipe, from which ClickHouse reads what is there. */
export const PIPE_BEATS: Beats = { short: HEARTBEAT, long: HEARTBEAT };

/** Completes the heartbeat of PIPE_BEATS whose first byte was already written. */
export const HEARTBEAT_REST = HEARTBEAT.subarray(1);

/** Returns a heartbeat with `padding` unused bytes. */
export function paddedHeartbeat(padding: number): Buffer {
  const address = column(TRACE_COLUMN, 'String', lengthAndBytes(Buffer.alloc(padding, ' ')));
  return Buffer.concat([blockHead(2, 1), markColumn(MARK.HEARTBEAT), address]);
}

/** A block with one column of one value. Columns that it omits get their default. */
export function blockOf(name: string, type: string | Buffer, value: Uint8Array): Buffer {
  return Buffer.concat([blockHead(1, 1), column(name, type, value)]);
}

export class NativeRows implements RowWriter {
  readonly #output: Output;
  readonly #block: Block;
  readonly #beats: Beats;
  /** Whether the last byte that was written begins a heartbeat. */
  #begun: boolean;

  /** @param begun whether another program has written the first byte of a heartbeat */
  constructor(
    columns: readonly TableColumn[],
    output: Output,
    { beats = PIPE_BEATS, begun = true } = {},
  ) {
    this.#output = output;
    this.#block = new Block(columns);
    this.#beats = beats;
    this.#begun = begun;
  }

  trace(address: Uint8Array): CellWriter {
    return new NativeTrace(Buffer.from(address), this.#block);
  }

  heartbeat(): void {
    const { long } = this.#beats;
    this.#output.append(this.#begun ? long.subarray(1) : long);
    this.#begun = false;
  }

  failure(trace: Uint8Array): void {
    this.#endBlock();
    this.#complete();
    const address = column(TRACE_COLUMN, 'String', lengthAndBytes(trace));
    this.#output.append(Buffer.concat([blockHead(2, 1), markColumn(MARK.FAILURE), address]));
  }

  flush(): Promise<void> {
    this.#endBlock();
    if (this.#output.at > 0 && !this.#begun) {
      this.#output.append(this.#beats.short.subarray(0, 1));
      this.#begun = true;
    }
    return this.#output.flush();
  }

  finish(): Promise<void> {
    this.#endBlock();
    this.#complete();
    return this.#output.drain();
  }

  #endBlock(): void {
    if (this.#block.rows === 0) return;
    this.#complete();
    this.#block.moveTo(this.#output);
  }

  /** Completes a heartbeat that was begun. */
  #complete(): void {
    if (this.#begun) this.#output.append(this.#beats.short.subarray(1));
    this.#begun = false;
  }
}

/** Collects the rows of the next block. */
class Block {
  readonly columns: readonly NativeColumn[];
  rows = 0;
  /** Values of the current batch. */
  readonly values = new BatchValues();
  readonly #texts = { bytes: 0 };
  /** The traces of the rows, as runs: a run has the rows from the end of the previous one to `rowsTo`. */
  #runs: { trace: Buffer; rowsTo: number }[] = [];

  constructor(columns: readonly TableColumn[]) {
    this.columns = columns.map((each) => nativeColumn(each, this.#texts));
  }

  get full(): boolean {
    return this.rows >= FULL_ROWS || this.#texts.bytes >= FULL_BYTES;
  }

  /** Records that `rows` whole rows of `trace` were added to the columns. */
  add(trace: Buffer, rows: number): void {
    if (rows === 0) return;
    this.rows += rows;
    const last = this.#runs.at(-1);
    if (last?.trace === trace) last.rowsTo = this.rows;
    else this.#runs.push({ trace, rowsTo: this.rows });
  }

  /** Writes the block to `output`, and empties it. */
  moveTo(output: Output): void {
    output.append(blockHead(this.columns.length + 1, this.rows));
    output.append(this.#traces());
    for (const each of this.columns) {
      each.writeTo(output);
      each.clear();
    }
    this.rows = 0;
    this.#runs = [];
  }

  /**
   * The trace address of each row, as a LowCardinality column: a list of keys, and for each row a number in it.
   * ClickHouse converts it to String. The words before are the version (1) and the flags (0x601: the block has its own
   * keys, and the numbers have 16 bits).
   */
  #traces(): Buffer {
    const keys = this.#runs.map(({ trace }) => lengthAndBytes(trace));
    const version = longs(1);
    const flags = longs(0x601, keys.length);
    const numbers = new Uint16Array(this.rows);
    let from = 0;
    this.#runs.forEach(({ rowsTo }, run) => {
      numbers.fill(run, from, rowsTo);
      from = rowsTo;
    });
    return column(
      TRACE_COLUMN,
      'LowCardinality(String)',
      version,
      flags,
      ...keys,
      longs(this.rows),
      new Uint8Array(numbers.buffer),
    );
  }
}

function nativeColumn(column: TableColumn, room: TextRoom): NativeColumn {
  const { base } = column.type;
  if (base === 'Int64') return new Int64Column(column);
  if (base === 'Float64') return new Float64Column(column);
  if (base === 'String') return new StringColumn(column, room);
  return new NarrowColumn(column, base);
}

/** Encodes numbers below 2^32 as 64-bit words. */
function longs(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 8);
  return bytes;
}

class NativeTrace implements CellWriter {
  readonly #address: Buffer;
  readonly #block: Block;
  /** The columns of the block, in the order of the result. */
  #columns: NativeColumn[] = [];
  /** The first cells of a row whose other cells come with the next piece. */
  #pending: PendingCell[] = [];

  constructor(address: Buffer, block: Block) {
    this.#address = address;
    this.#block = block;
  }

  mapColumns(positions: readonly number[]): void {
    this.#columns = positions.flatMap((position) => this.#block.columns[position] ?? []);
  }

  *write(bytes: Uint8Array, batches: readonly CellsBatch[]): Generator<void> {
    const { values } = this.#block;
    for (const batch of batches) {
      values.open(bytes, batch);
      while (values.next(this.#columns.length)) {
        this.#take(values);
        if (this.#block.full) yield;
      }
    }
  }

  /** Adds the cells of a piece, and leaves only whole rows in the block. */
  #take(values: BatchValues): void {
    const columns = this.#columns;
    const pending = this.#pending;
    if (pending.length === 0 && takeUniform(columns, values)) {
      this.#block.add(this.#address, values.count / columns.length);
      return;
    }
    values.read();
    pending.forEach((cell, index) => {
      columns[index]?.restore(cell);
    });
    const count = columns.length;
    columns.forEach((column, index) => {
      column.take(values, (count + index - pending.length) % count, count);
    });
    const cells = pending.length + values.count;
    this.#pending = columns.slice(0, cells % count).map((column) => column.hold());
    this.#block.add(this.#address, Math.floor(cells / count));
  }
}
