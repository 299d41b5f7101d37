/** The values of a batch by their kinds, and where each cell's stands among them: what rows are made of. */
import { CELL_TYPE_MAX, CellType } from '../query-result/cell-type.ts';
import type { CellsBatch } from '../query-result/reader.ts';
import { malformed } from '../query-result/wire.ts';

/** Holds one batch at a time; what it is made of is kept for the next. */
export class BatchValues {
  bytes: Buffer = Buffer.alloc(0);
  /** Of the same bytes. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Cells of the batch. */
  count = 0;
  /** For each cell its CellType. */
  types: Uint8Array = new Uint8Array(0);
  /** For each cell its value's number among those of its type. */
  numbers: Int32Array = new Int32Array(0);
  /** Integers, as two words of two's complement each: low, high. */
  words = new Int32Array(0);
  /** Where texts stand in `bytes`: each begins at its number's place, and a NUL ends it before the next's. */
  texts: Int32Array = new Int32Array(0);
  #batch: CellsBatch | undefined;

  /** @throws internal, where cells and values do not fit together */
  read(bytes: Uint8Array, batch: CellsBatch): void {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#batch = batch;
    this.count = batch.cellsTo - batch.cellsFrom;
    this.types = bytes.subarray(batch.cellsFrom, batch.cellsTo);
    const counts = this.#number();
    const check = (type: number, found: number, what: string): void => {
      const cells = counts[type] ?? 0;
      if (cells > found) throw malformed(`a ${what} is missing`);
      if (cells < found) throw malformed('more values than cells');
    };
    check(CellType.VARINT, this.#readIntegers(counts[CellType.VARINT] ?? 0), 'varint');
    check(CellType.FLOAT64, (batch.floatsTo - batch.floatsFrom) / 8, 'double');
    check(CellType.STRING, this.#findTexts(counts[CellType.STRING] ?? 0), 'string');
    check(CellType.BLOB, batch.blobs.length / 2, 'blob');
  }

  /** The end of a text, without its NUL. */
  textEnd(number: number): number {
    return (this.texts[number + 1] ?? 0) - 1;
  }

  double(number: number): number {
    return this.view.getFloat64((this.#batch?.floatsFrom ?? 0) + number * 8, true);
  }

  /** Where a blob stands in `bytes`. */
  blob(number: number): [from: number, to: number] {
    const { blobs = [] } = this.#batch ?? {};
    return [blobs[number * 2] ?? 0, blobs[number * 2 + 1] ?? 0];
  }

  /** Numbers the cells; how many there are of each type. */
  #number(): Int32Array {
    if (this.numbers.length < this.count) this.numbers = new Int32Array(this.count * 2);
    const { types, numbers, count } = this;
    const counts = new Int32Array(256);
    for (let cell = 0; cell < count; cell++) {
      const type = types[cell] as number;
      numbers[cell] = (counts[type] as number)++;
    }
    counts.forEach((found, type) => {
      if (found > 0 && (type === 0 || type > CELL_TYPE_MAX)) throw malformed(`cell type ${type}`);
    });
    return counts;
  }

  /** Reads integers; how many there are, or one more where it is more than `expected`. */
  #readIntegers(expected: number): number {
    if (this.words.length < expected * 2) this.words = new Int32Array(expected * 4);
    const { bytes, words } = this;
    const { varintsFrom: from = 0, varintsTo: to = 0 } = this.#batch ?? {};
    let at = from;
    let number = 0;
    for (; at < to && number < expected; number++) {
      // In groups of four bytes: a word holds no more than 28 bits of them.
      let byte = bytes[at++] as number;
      let low = byte & 0x7f;
      let high = 0;
      let shift = 7;
      for (; byte >= 0x80 && shift < 28; shift += 7) {
        byte = bytes[at++] as number;
        low |= (byte & 0x7f) << shift;
      }
      if (byte >= 0x80) {
        let middle = 0;
        for (shift = 0; byte >= 0x80 && shift < 28; shift += 7) {
          byte = bytes[at++] as number;
          middle |= (byte & 0x7f) << shift;
        }
        low |= middle << 28;
        high = middle >>> 4;
        for (shift = 24; byte >= 0x80; shift += 7) {
          if (shift > 31) throw malformed('a varint is longer than 10 bytes');
          byte = bytes[at++] as number;
          high |= (byte & 0x7f) << shift;
        }
      }
      words[number * 2] = low;
      words[number * 2 + 1] = high;
    }
    if (at > to) throw malformed('a varint is cut short');
    return at < to ? number + 1 : number;
  }

  /** Finds texts; how many there are, or one more where it is more than `expected`. */
  #findTexts(expected: number): number {
    if (this.texts.length < expected + 1) this.texts = new Int32Array((expected + 1) * 2);
    const { bytes, texts, view } = this;
    const { stringsFrom: from = 0, stringsTo: to = 0 } = this.#batch ?? {};
    texts[0] = from;
    let number = 0;
    let at = from;
    for (; at < to && number < expected; number++) {
      at = endOfText(view, bytes, at) + 1;
      texts[number + 1] = at;
    }
    return at < to ? number + 1 : number;
  }
}

/** Where the NUL stands: there is one, for the reader has checked that the last text has its own. */
function endOfText(view: DataView, bytes: Buffer, from: number): number {
  let at = from;
  for (; at + 4 <= bytes.length; at += 4) {
    // Four bytes at a time: the lowest bit that is left is the highest of the first byte that is zero.
    const word = view.getInt32(at, true);
    const zeros = ((word - 0x01010101) | 0) & ~word & 0x80808080;
    if (zeros !== 0) return at + ((31 - Math.clz32(zeros & -zeros)) >> 3);
  }
  while (bytes[at] !== 0) at++;
  return at;
}
