/** How far the values of a batch have been taken, and the value that was taken last. */
import type { CellsBatch } from '../../query-result/reader.ts';
import { malformed } from '../../query-result/wire.ts';

export class BatchCursor {
  readonly buffer: Buffer;
  readonly batch: CellsBatch;
  /** Where the next cell's type stands. */
  at: number;
  /** Where the next text stands; whoever takes it moves on. */
  stringAt: number;
  /** Two's complement of the integer that was taken last, as signed words. */
  high = 0;
  low = 0;
  /** Where the blob stands that was taken last. */
  blobFrom = 0;
  blobTo = 0;
  readonly #view: DataView;
  #varintAt: number;
  #floatAt: number;
  #blob = 0;

  constructor(bytes: Uint8Array, batch: CellsBatch) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.batch = batch;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = batch.cellsFrom;
    this.stringAt = batch.stringsFrom;
    this.#varintAt = batch.varintsFrom;
    this.#floatAt = batch.floatsFrom;
  }

  get atEnd(): boolean {
    return this.at >= this.batch.cellsTo;
  }

  /** Takes an integer: in groups of four bytes, for a word holds no more than 28 bits of them. */
  takeInteger(): void {
    const { buffer } = this;
    let at = this.#varintAt;
    let byte = 0;
    let low = 0;
    let high = 0;
    let shift = 0;
    do {
      byte = buffer[at++] as number;
      low |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80 && shift < 28);
    if (byte >= 0x80) {
      let middle = 0;
      shift = 0;
      do {
        byte = buffer[at++] as number;
        middle |= (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80 && shift < 28);
      low |= middle << 28;
      high = middle >>> 4;
      for (shift = 24; byte >= 0x80; shift += 7) {
        if (shift > 31) throw malformed('a varint is longer than 10 bytes');
        byte = buffer[at++] as number;
        high |= (byte & 0x7f) << shift;
      }
    }
    if (at > this.batch.varintsTo) throw malformed('a varint is missing or cut short');
    this.#varintAt = at;
    this.low = low;
    this.high = high;
  }

  takeDouble(): number {
    if (this.#floatAt >= this.batch.floatsTo) throw malformed('a double is missing');
    const value = this.#view.getFloat64(this.#floatAt, true);
    this.#floatAt += 8;
    return value;
  }

  /** To be called before a text is taken: what stands at `stringAt` ends with a NUL. */
  checkText(): void {
    if (this.stringAt >= this.batch.stringsTo) throw malformed('a string is missing');
  }

  takeBlob(): void {
    const from = this.batch.blobs[this.#blob++];
    const to = this.batch.blobs[this.#blob++];
    if (from === undefined || to === undefined) throw malformed('a blob is missing');
    this.blobFrom = from;
    this.blobTo = to;
  }

  /** @throws internal, where the batch holds values that no cell took */
  end(): void {
    const { varintsTo, floatsTo, stringsTo, blobs } = this.batch;
    if (
      this.#varintAt < varintsTo ||
      this.#floatAt < floatsTo ||
      this.stringAt < stringsTo ||
      this.#blob < blobs.length
    )
      throw malformed('more values than cells');
  }
}
