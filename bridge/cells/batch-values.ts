/** Reads a CellsBatch piece by piece: the type of each cell, and where its value is. */
import { CELL_TYPE_MAX, CellType } from '../../lib/query-result/cell-type.ts';
import type { CellsBatch } from '../../lib/query-result/reader.ts';
import { malformed } from '../../lib/query-result/wire.ts';
import {
  ALL_INTEGERS,
  CELLS_MAX,
  type Column,
  readDoubles,
  readTexts,
  readVarints,
  type TextTarget,
  type WordTarget,
} from './cells.ts';

const NO_BATCH: CellsBatch = {
  ...{ cellsFrom: 0, cellsTo: 0, varintsFrom: 0, varintsTo: 0, floatsFrom: 0, floatsTo: 0 },
  ...{ stringsFrom: 0, stringsTo: 0, blobs: [], isLast: false },
};

/** Iterates over a batch in pieces of at most CELLS_MAX cells, and holds the values of one piece at a time. */
export class BatchValues {
  bytes: Buffer = Buffer.alloc(0);
  /** A view of `bytes`. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Number of cells in the piece. */
  count = 0;
  /** The CellType of each cell. */
  types: Uint8Array = new Uint8Array(0);
  /** For each cell, the index of its value among the piece's values of the same type. */
  readonly numbers = new Uint16Array(CELLS_MAX);
  /** The integers in two's complement, as two 32-bit words each: low, high. */
  readonly words = new Int32Array(CELLS_MAX * 2);
  readonly #wordBytes = new Uint8Array(this.words.buffer);
  /** Offsets of the texts in `bytes`: text `i` begins at `texts[i]`; its NUL is the byte before `texts[i + 1]`. */
  readonly texts = new Int32Array(CELLS_MAX + 1);
  readonly #counts = new Uint16Array(256);
  #batch = NO_BATCH;
  /** Offset of the next piece's first cell; the three below are those of the next integer, text and double. */
  #cellsAt = 0;
  #varintsAt = 0;
  #stringsAt = 0;
  #floatsAt = 0;
  /** Index of the next blob in the batch. */
  #blobsAt = 0;
  /** Offset of the piece's first double, and index of its first blob. */
  #floatsFrom = 0;
  #firstBlob = 0;

  open(bytes: Uint8Array, batch: CellsBatch): void {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#batch = batch;
    this.#cellsAt = batch.cellsFrom;
    this.#varintsAt = batch.varintsFrom;
    this.#stringsAt = batch.stringsFrom;
    this.#floatsAt = batch.floatsFrom;
    this.#blobsAt = 0;
  }

  /**
   * Moves to the next piece, whose values the caller must then read. Returns false at the end of the batch.
   * @param width cells of a row: a piece that does not end the batch has a multiple of it, if it is at most CELLS_MAX
   * @throws internal if the batch has more values than cells
   */
  next(width: number): boolean {
    const most = Math.max(CELLS_MAX - (CELLS_MAX % width), CELLS_MAX % width);
    this.count = Math.min(most, this.#batch.cellsTo - this.#cellsAt);
    this.types = this.bytes.subarray(this.#cellsAt, this.#cellsAt + this.count);
    this.#cellsAt += this.count;
    if (this.count === 0) this.#checkEnd();
    return this.count > 0;
  }

  /** Reads the values of the piece for access cell by cell. @throws internal if a value is missing or a type unknown */
  read(): void {
    this.#number();
    const counted = this.#counts;
    const count = (type: number): number => counted[type] as number;
    this.#readWords(count(CellType.VARINT));
    this.#findTexts(count(CellType.STRING));
    this.#floatsFrom = this.#floatsAt;
    this.#floatsAt += count(CellType.FLOAT64) * 8;
    this.#firstBlob = this.#blobsAt;
    this.#blobsAt += count(CellType.BLOB);
    const { floatsTo, blobs } = this.#batch;
    if (this.#floatsAt > floatsTo) throw malformed('a double is missing');
    if (this.#blobsAt * 2 > blobs.length) throw malformed('a blob is missing');
  }

  /** Passes the integers of a piece of whole rows to `columns`. @throws internal if one is missing or malformed */
  readIntegers(width: number, columns: readonly Column<WordTarget>[]): void {
    if (columns.length === 0) return;
    const part = { bytes: this.bytes, from: this.#varintsAt, to: this.#batch.varintsTo };
    this.#varintsAt = readVarints(part, { kinds: this.types, width }, columns);
  }

  /** Passes the doubles of a piece of whole rows to `columns`. @throws internal if one is missing */
  readDoubles(width: number, columns: readonly Column<WordTarget>[]): void {
    if (columns.length === 0) return;
    const part = { bytes: this.bytes, from: this.#floatsAt, to: this.#batch.floatsTo };
    this.#floatsAt = readDoubles(part, { kinds: this.types, width }, columns);
  }

  /** Passes the texts of a piece of whole rows to `columns`. @throws internal if one is missing */
  readTexts(width: number, columns: readonly Column<TextTarget>[]): void {
    if (columns.length === 0) return;
    const part = { bytes: this.bytes, from: this.#stringsAt, to: this.#batch.stringsTo };
    this.#stringsAt = readTexts(part, { kinds: this.types, width }, columns);
  }

  /** Offset of the NUL that ends text `number`. */
  textEnd(number: number): number {
    return (this.texts[number + 1] ?? 0) - 1;
  }

  double(number: number): number {
    return this.view.getFloat64(this.#floatsFrom + number * 8, true);
  }

  /** Offsets of blob `number` in `bytes`. */
  blob(number: number): [from: number, to: number] {
    const at = (this.#firstBlob + number) * 2;
    const { blobs } = this.#batch;
    return [blobs[at] ?? 0, blobs[at + 1] ?? 0];
  }

  /** Fills `numbers`, and counts the cells of each type. */
  #number(): void {
    const { types, numbers, count } = this;
    const counts = this.#counts;
    counts.fill(0);
    for (let cell = 0; cell < count; cell++) {
      const type = types[cell] as number;
      numbers[cell] = (counts[type] as number)++;
    }
    let counted = 0;
    for (let type = 1; type <= CELL_TYPE_MAX; type++) counted += counts[type] as number;
    if (counted < count)
      throw malformed(`cell type ${types.find((type) => type === 0 || type > CELL_TYPE_MAX)}`);
  }

  #readWords(count: number): void {
    if (count === 0) return;
    const part = { bytes: this.bytes, from: this.#varintsAt, to: this.#batch.varintsTo };
    const rows = { kinds: ALL_INTEGERS.subarray(0, count), width: 1 };
    const target = { words: (words: Uint8Array): void => this.#wordBytes.set(words) };
    this.#varintsAt = readVarints(part, rows, [{ position: 0, target }]);
  }

  #findTexts(count: number): void {
    const { bytes, texts, view } = this;
    const { stringsTo } = this.#batch;
    let at = this.#stringsAt;
    texts[0] = at;
    for (let number = 0; number < count; number++) {
      if (at >= stringsTo) throw malformed('a string is missing');
      at = endOfText(view, bytes, at) + 1;
      texts[number + 1] = at;
    }
    this.#stringsAt = at;
  }

  #checkEnd(): void {
    const { varintsTo, stringsTo, floatsTo, blobs } = this.#batch;
    const all =
      this.#varintsAt === varintsTo &&
      this.#stringsAt === stringsTo &&
      this.#floatsAt === floatsTo &&
      this.#blobsAt * 2 === blobs.length;
    if (!all) throw malformed('more values than cells');
  }
}

/** Offset of the first NUL from `from` on. There is one, because the reader checks that the last text ends with a NUL. */
function endOfText(view: DataView, bytes: Buffer, from: number): number {
  let at = from;
  for (; at + 4 <= bytes.length; at += 4) {
    const zeros = zerosIn(view.getInt32(at, true));
    if (zeros !== 0) return at + firstOf(zeros);
  }
  while (bytes[at] !== 0) at++;
  return at;
}

/** Sets the highest bit of the first zero byte of a little-endian word; bits of later bytes may be set wrongly. */
function zerosIn(word: number): number {
  return ((word - 0x01010101) | 0) & ~word & 0x80808080;
}

/** Index (0 to 3) of the first byte that zerosIn marked. */
function firstOf(zeros: number): number {
  return (31 - Math.clz32(zeros & -zeros)) >> 3;
}
