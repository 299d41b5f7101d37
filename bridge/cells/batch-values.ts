/** The values of a batch by their kinds, and where each cell's stands among them: what rows are made of. */
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

/** Goes through a batch piece by piece; holds one piece at a time. */
export class BatchValues {
  bytes: Buffer = Buffer.alloc(0);
  /** Of the same bytes. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Cells of the piece. */
  count = 0;
  /** For each cell its CellType. */
  types: Uint8Array = new Uint8Array(0);
  /** For each cell its value's number among those of its type. */
  readonly numbers = new Uint16Array(CELLS_MAX);
  /** Integers, as two words of two's complement each: low, high. */
  readonly words = new Int32Array(CELLS_MAX * 2);
  readonly #wordBytes = new Uint8Array(this.words.buffer);
  /** Where texts stand in `bytes`: each begins at its number's place, and a NUL ends it before the next's. */
  readonly texts = new Int32Array(CELLS_MAX + 1);
  readonly #counts = new Uint16Array(256);
  #batch = NO_BATCH;
  /** Where the next piece begins. */
  #cellsAt = 0;
  #varintsAt = 0;
  #stringsAt = 0;
  #floatsAt = 0;
  /** In the list of all blobs. */
  #blobsAt = 0;
  /** Of the piece. */
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
   * Goes on to the next piece, whose values are to be read then; false: there is none.
   * @param width a piece has a multiple of it where that is possible
   * @throws internal, where there are more values than cells
   */
  next(width: number): boolean {
    const most = Math.max(CELLS_MAX - (CELLS_MAX % width), CELLS_MAX % width);
    this.count = Math.min(most, this.#batch.cellsTo - this.#cellsAt);
    this.types = this.bytes.subarray(this.#cellsAt, this.#cellsAt + this.count);
    this.#cellsAt += this.count;
    if (this.count === 0) this.#checkEnd();
    return this.count > 0;
  }

  /** Reads the values, for who goes through them cell by cell. @throws internal, where one is missing */
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

  /** Reads the integers of a piece of whole rows. @throws internal, where one is missing */
  readIntegers(width: number, columns: readonly Column<WordTarget>[]): void {
    if (columns.length === 0) return;
    const part = { bytes: this.bytes, from: this.#varintsAt, to: this.#batch.varintsTo };
    this.#varintsAt = readVarints(part, { kinds: this.types, width }, columns);
  }

  /** Reads its doubles. @throws internal, where one is missing */
  readDoubles(width: number, columns: readonly Column<WordTarget>[]): void {
    if (columns.length === 0) return;
    const part = { bytes: this.bytes, from: this.#floatsAt, to: this.#batch.floatsTo };
    this.#floatsAt = readDoubles(part, { kinds: this.types, width }, columns);
  }

  /** Reads its texts. @throws internal, where one is missing */
  readTexts(width: number, columns: readonly Column<TextTarget>[]): void {
    if (columns.length === 0) return;
    const part = { bytes: this.bytes, from: this.#stringsAt, to: this.#batch.stringsTo };
    this.#stringsAt = readTexts(part, { kinds: this.types, width }, columns);
  }

  /** The end of a text, without its NUL. */
  textEnd(number: number): number {
    return (this.texts[number + 1] ?? 0) - 1;
  }

  double(number: number): number {
    return this.view.getFloat64(this.#floatsFrom + number * 8, true);
  }

  /** Where a blob stands in `bytes`. */
  blob(number: number): [from: number, to: number] {
    const at = (this.#firstBlob + number) * 2;
    const { blobs } = this.#batch;
    return [blobs[at] ?? 0, blobs[at + 1] ?? 0];
  }

  /** Numbers the cells, and counts how many there are of each type. */
  #number(): void {
    const { types, numbers, count } = this;
    const counts = this.#counts;
    counts.fill(0);
    for (let cell = 0; cell < count; cell++) {
      const type = types[cell] as number;
      numbers[cell] = (counts[type] as number)++;
    }
    let known = 0;
    for (let type = 1; type <= CELL_TYPE_MAX; type++) known += counts[type] as number;
    if (known < count)
      throw malformed(`cell type ${types.find((type) => type === 0 || type > CELL_TYPE_MAX)}`);
  }

  #readWords(count: number): void {
    if (count === 0) return;
    const part = { bytes: this.bytes, from: this.#varintsAt, to: this.#batch.varintsTo };
    const rows = { kinds: ALL_INTEGERS.subarray(0, count), width: 1 };
    const target = { words: (words: Uint8Array): void => this.#wordBytes.set(words) };
    this.#varintsAt = readVarints(part, rows, [{ place: 0, target }]);
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

/** Where the NUL stands: there is one, for the reader has checked that the last text has its own. */
export function endOfText(view: DataView, bytes: Buffer, from: number): number {
  let at = from;
  for (; at + 4 <= bytes.length; at += 4) {
    const zeros = zerosIn(view.getInt32(at, true));
    if (zeros !== 0) return at + firstOf(zeros);
  }
  while (bytes[at] !== 0) at++;
  return at;
}

/** Of the four bytes of a little-endian word: the highest bit of the first that is zero, and perhaps of others. */
function zerosIn(word: number): number {
  return ((word - 0x01010101) | 0) & ~word & 0x80808080;
}

/** Which of the four bytes that is. */
function firstOf(zeros: number): number {
  return (31 - Math.clz32(zeros & -zeros)) >> 3;
}
