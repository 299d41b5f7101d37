/** Decodes results into rows of exact values, for uses where speed does not matter. */
import { textFromBytes } from '../common/text/byte-text.ts';
import { CellType } from './cell-type.ts';
import type { CellsBatch } from './reader.ts';
import { ResultStream } from './stream.ts';
import { malformed, WireReader } from './wire.ts';

/** int64 as bigint, double as number, text as textFromBytes decodes it (which keeps every byte), blob as bytes. */
export type CellValue = null | bigint | number | string | Uint8Array;

/** Decodes the results of one trace, in order. A row that spans results is returned with the one that ends it. */
export class RowDecoder {
  readonly stream = new ResultStream();
  #row: CellValue[] = [];

  /** Column names; empty before the first result. */
  get columnNames(): string[] {
    return this.stream.columnNames ?? [];
  }

  /** Returns the rows that `bytes` completes. @throws BigtraceError as `ResultStream.next` */
  rows(bytes: Uint8Array): CellValue[][] {
    const { buffer, batches } = this.stream.next(bytes);
    const columns = this.columnNames.length;
    const rows: CellValue[][] = [];
    for (const batch of batches) {
      const cells = new CellReader(buffer, batch);
      for (let at = batch.cellsFrom; at < batch.cellsTo; at++) {
        this.#row.push(cells.next(buffer[at] ?? 0));
        if (this.#row.length < columns) continue;
        rows.push(this.#row);
        this.#row = [];
      }
      cells.end();
    }
    return rows;
  }
}

/** Returns all rows of one trace. */
export function rowsOf(results: Iterable<Uint8Array>): CellValue[][] {
  const decoder = new RowDecoder();
  const rows: CellValue[][] = [];
  for (const bytes of results) for (const row of decoder.rows(bytes)) rows.push(row);
  return rows;
}

/** Reads the values of one batch in the order of its cells. */
class CellReader {
  readonly #buffer: Uint8Array;
  readonly #view: DataView;
  readonly #batch: CellsBatch;
  readonly #varints: WireReader;
  #floatAt: number;
  #stringAt: number;
  #blob = 0;

  constructor(buffer: Uint8Array, batch: CellsBatch) {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    this.#batch = batch;
    this.#varints = new WireReader(buffer, batch.varintsFrom, batch.varintsTo);
    this.#floatAt = batch.floatsFrom;
    this.#stringAt = batch.stringsFrom;
  }

  next(type: number): CellValue {
    switch (type) {
      case CellType.NULL:
        return null;
      case CellType.VARINT:
        return this.#varints.int64();
      case CellType.FLOAT64:
        return this.#float();
      case CellType.STRING:
        return this.#string();
      case CellType.BLOB:
        return this.#blobBytes();
      default:
        throw malformed(`cell type ${type}`);
    }
  }

  /** @throws BigtraceError internal when the batch holds more values than cells */
  end(): void {
    const { floatsTo, stringsTo, blobs } = this.#batch;
    const { at, end } = this.#varints;
    if (at < end || this.#floatAt < floatsTo || this.#stringAt < stringsTo)
      throw malformed('more values than cells');
    if (this.#blob < blobs.length) throw malformed('more blobs than cells');
  }

  #float(): number {
    if (this.#floatAt >= this.#batch.floatsTo) throw malformed('a double is missing');
    const value = this.#view.getFloat64(this.#floatAt, true);
    this.#floatAt += 8;
    return value;
  }

  #string(): string {
    const from = this.#stringAt;
    if (from >= this.#batch.stringsTo) throw malformed('a string is missing');
    const to = this.#buffer.indexOf(0, from); // found: readBatch checked that the last byte is NUL
    this.#stringAt = to + 1;
    return textFromBytes(this.#buffer.subarray(from, to));
  }

  #blobBytes(): Uint8Array {
    const from = this.#batch.blobs[this.#blob];
    const to = this.#batch.blobs[this.#blob + 1];
    if (from === undefined || to === undefined) throw malformed('a blob is missing');
    this.#blob += 2;
    return new Uint8Array(this.#buffer.subarray(from, to)); // a copy; Buffer.slice would not copy
  }
}
