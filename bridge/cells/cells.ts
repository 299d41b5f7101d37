/** Moves the values of many cells at once from a batch to columns: a bounds-checked interface to cells.wat. */
import { CellType } from '../../lib/query-result/cell-type.ts';
import { malformed } from '../../lib/query-result/wire.ts';
import { LENGTH_BYTES, writeLength } from '../native/encoding.ts';
import wasm from './cells.wat';

/** The most cells that one call can read. */
export const CELLS_MAX = 16 * 1024;
/** The most columns that a row may have. */
export const COLUMNS_MAX = 256;

const WORD_BYTES = 8;
const VARINT_BYTES_MAX = 10;
/** Bytes that the loops may read behind their input, and overwrite behind their output. */
const BEYOND_BYTES = 16;
/** Expected size of a text, by which the input of one loop is sized. Longer texts need more loops. */
const TEXT_BYTES = 32;
const TEXTS_BYTES_MIN = 4096;
/** Input bytes per output byte: a length takes one byte, as the NUL did, and at most one more per 128 bytes of text. */
const SHARE_OF_LENGTHS = 127 / 128;

/** The functions and offsets that cells.wat exports and describes. */
type Loops = Record<'kinds' | 'places' | 'slots' | 'nulls' | 'in' | 'out', { value: number }> & {
  memory: { buffer: ArrayBuffer };
  integers(to: number, width: number, columns: number, rows: number): number;
  doubles(width: number, columns: number, rows: number): number;
  texts(
    ...part: [to: number, width: number, columns: number, rows: number, cell: number]
  ): [cell: number, at: number];
};

const loops = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as Loops;
const memory = new Uint8Array(loops.memory.buffer);
const positions = new Uint32Array(loops.memory.buffer, loops.places.value, COLUMNS_MAX);
const slots = new Uint32Array(loops.memory.buffer, loops.slots.value, COLUMNS_MAX);
const KINDS_AT = loops.kinds.value;
const NULLS_AT = loops.nulls.value;
const IN_AT = loops.in.value;
const OUT_AT = loops.out.value;
const IN_BYTES = OUT_AT - IN_AT;
const OUT_BYTES = memory.length - OUT_AT;

/** The bytes `[from, to)` of `bytes`, which hold values of one kind. */
export interface Part {
  bytes: Buffer;
  from: number;
  to: number;
}

/** Whole rows, at most CELLS_MAX cells. */
export interface Rows {
  /** The CellType of each cell. */
  kinds: Uint8Array;
  /** Cells of a row, at most COLUMNS_MAX. */
  width: number;
}

/** A column whose cells are all NULL or of the kind that is read. */
export interface Column<Target> {
  /** Its position in the row, from 0. */
  position: number;
  target: Target;
}

export interface WordTarget {
  /** Receives cells as 64-bit words, and for each 1 if it is NULL. Both arrays are valid during the call only. */
  words(words: Uint8Array, nulls: Uint8Array): void;
}

export interface TextTarget {
  /** Receives `count` texts, each after its length. `encoded` is valid during the call only. */
  texts(encoded: Uint8Array, count: number): void;
  /** Receives, for each of the last texts, 1 if it is NULL. The array is valid during the call only. */
  nulls(nulls: Uint8Array): void;
}

/**
 * Reads 64-bit integers as protobuf packs them: seven bits per byte, the lowest first.
 * @returns the offset behind the last integer
 * @throws internal if an integer is missing, cut short or longer than 10 bytes
 */
export function readVarints(
  part: Part,
  rows: Rows,
  columns: readonly Column<WordTarget>[],
): number {
  const count = putRows(rows, columns);
  const to = putIn(part, columns.length * count * VARINT_BYTES_MAX);
  const at = loops.integers(to, rows.width, columns.length, count);
  if (at === -1) throw malformed('a varint is missing');
  if (at === -2 || at > to) throw malformed('a varint is cut short');
  if (at === -3) throw malformed('a varint is longer than 10 bytes');
  handOut(columns, count);
  return part.from + at - IN_AT;
}

/** Reads doubles. @returns the offset behind the last one @throws internal if one is missing */
export function readDoubles(
  part: Part,
  rows: Rows,
  columns: readonly Column<WordTarget>[],
): number {
  const count = putRows(rows, columns);
  const to = putIn(part, columns.length * count * WORD_BYTES);
  const at = loops.doubles(rows.width, columns.length, count);
  if (at > to) throw malformed('a double is missing');
  handOut(columns, count);
  return part.from + at - IN_AT;
}

/** Reads NUL-terminated texts. @returns the offset behind the last NUL @throws internal if a text is missing */
export function readTexts(part: Part, rows: Rows, columns: readonly Column<TextTarget>[]): number {
  const { bytes, to } = part;
  const count = putRows(rows, columns);
  const cells = count * columns.length;
  let at = part.from;
  for (let cell = 0; cell < cells; ) {
    const taken = takeTexts({ bytes, from: at, to }, rows, columns, cell);
    at = taken.at;
    if (taken.cell === cell) {
      const end = bytes.indexOf(0, at);
      if (end < 0 || end >= to) throw malformed('a string is missing');
      const column = cell % columns.length;
      putLong(columns[column]?.target, bytes.subarray(at, end));
      memory[NULLS_AT + column * count + Math.floor(cell / columns.length)] = 0;
      at = end + 1;
      cell++;
    } else cell = taken.cell;
  }
  for (const [column, { target }] of columns.entries())
    target.nulls(memory.subarray(NULLS_AT + column * count, NULLS_AT + (column + 1) * count));
  return at;
}

/** Reads from cell number `cell` of the columns on, up to a text that does not fit or has no NUL. */
function takeTexts(
  part: Part,
  { kinds, width }: Rows,
  columns: readonly Column<TextTarget>[],
  cell: number,
): { cell: number; at: number } {
  const rows = kinds.length / width;
  const cellsLeft = rows * columns.length - cell;
  const room = Math.floor(OUT_BYTES / columns.length);
  const most = Math.min(
    ...[Math.max(cellsLeft * TEXT_BYTES, TEXTS_BYTES_MIN), IN_BYTES - BEYOND_BYTES],
    Math.floor((room - rows - 2 * BEYOND_BYTES) * SHARE_OF_LENGTHS), // each NULL takes a byte of output and none of input
  );
  for (let column = 0; column < columns.length; column++) slots[column] = OUT_AT + column * room;
  const to = putIn(part, most);
  const [next, at] = loops.texts(to, width, columns.length, rows, cell);
  for (const [column, { target }] of columns.entries()) {
    const own = cellsOf(column, next, columns.length) - cellsOf(column, cell, columns.length);
    if (own > 0) target.texts(memory.subarray(OUT_AT + column * room, slots[column]), own);
  }
  return { cell: next, at: part.from + at - IN_AT };
}

/** How many of the first `cells` cells, which go to the columns in turn, go to column number `column`. */
function cellsOf(column: number, cells: number, columns: number): number {
  return Math.ceil((cells - column) / columns);
}

function putLong(target: TextTarget | undefined, text: Uint8Array): void {
  const length = Buffer.alloc(LENGTH_BYTES);
  target?.texts(length.subarray(0, writeLength(length, 0, text.length)), 0);
  target?.texts(text, 1);
}

/** Copies kinds and column positions into the memory. @returns the number of rows */
function putRows({ kinds, width }: Rows, columns: readonly Column<unknown>[]): number {
  memory.set(kinds, KINDS_AT);
  for (const [column, { position }] of columns.entries()) positions[column] = position;
  return kinds.length / width;
}

/** Copies at most `most` bytes into the memory, and zeros behind them. @returns the offset of their end */
function putIn({ bytes, from, to }: Part, most: number): number {
  const part = bytes.subarray(from, Math.min(to, from + most));
  const end = IN_AT + part.length;
  memory.set(part, IN_AT);
  memory.fill(0, end, end + BEYOND_BYTES);
  return end;
}

function handOut(columns: readonly Column<WordTarget>[], rows: number): void {
  for (const [column, { target }] of columns.entries()) {
    const words = OUT_AT + column * rows * WORD_BYTES;
    const nulls = NULLS_AT + column * rows;
    target.words(
      memory.subarray(words, words + rows * WORD_BYTES),
      memory.subarray(nulls, nulls + rows),
    );
  }
}

/** The kinds of a column that holds integers only. */
export const ALL_INTEGERS = new Uint8Array(CELLS_MAX).fill(CellType.VARINT);
