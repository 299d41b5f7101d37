/** Integers and texts on their way from a batch to columns, many at once: what cells.wat does, made safe. */
import { malformed } from '../query-result/wire.ts';
import wasm from './cells.wat';

/** So many integers can be read at once. */
export const CELLS_MAX = 16 * 1024;
/** To so many columns can texts be handed out: what is taken at once is shared between them. */
export const TEXT_COLUMNS_MAX = 256;

const VARINT_BYTES_MAX = 10;
/** What the loops may look at, or write over, behind what they are given. */
const BEYOND_BYTES = 16;

/** In the memory: where the texts of each column end, what is read, and what it becomes. */
const SLOTS_AT = 0;
const SLOT_BYTES = 4;
const IN_AT = SLOTS_AT + TEXT_COLUMNS_MAX * SLOT_BYTES;
const IN_BYTES = 192 * 1024;
const OUT_AT = IN_AT + IN_BYTES;

/** Most texts are shorter; of longer ones fewer are taken at once. */
const TEXT_BYTES = 32;
const TEXTS_BYTES_MIN = 4096;
/** A length takes a byte as a NUL does, but for longer texts: one more for each 128 bytes at most. */
const SHARE_OF_LENGTHS = 127 / 128;

interface Loops {
  memory: WebAssembly.Memory;
  integers(at: number, to: number, out: number, columns: number, rows: number): number;
  texts(
    ...range: [
      at: number,
      to: number,
      slots: number,
      columns: number,
      column: number,
      count: number,
    ]
  ): [count: number, at: number];
}

const loops = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as unknown as Loops;
const memory = new Uint8Array(loops.memory.buffer);
const words = new Int32Array(loops.memory.buffer);
const slots = new Uint32Array(loops.memory.buffer, SLOTS_AT, TEXT_COLUMNS_MAX);
const OUT_BYTES = memory.length - OUT_AT;

/** Where integers go: to each of `targets` in turn, as two words of two's complement each: low, high. */
export interface IntegerTargets {
  targets: readonly Int32Array[];
  /** The first of the integers there. */
  row: number;
  /** How many go to each target; to all together CELLS_MAX at most. */
  rows: number;
}

/**
 * Reads packed 64-bit integers as protobuf writes them: seven bits a byte, the lowest first.
 * @returns the position behind the last one
 * @throws internal, where one is missing, the last one is cut short, or one is too long
 */
export function readVarints(
  bytes: Uint8Array,
  from: number,
  to: number,
  into: IntegerTargets,
): number {
  const { targets, row, rows } = into;
  const columns = targets.length;
  if (columns * rows === 0) return from;
  const inTo = copyIn(bytes, from, Math.min(to, from + columns * rows * VARINT_BYTES_MAX));
  const at = loops.integers(IN_AT, inTo, OUT_AT, columns, rows);
  if (at === -1) throw malformed('a varint is missing');
  if (at === -2 || at > inTo) throw malformed('a varint is cut short');
  if (at === -3) throw malformed('a varint is longer than 10 bytes');
  let out = OUT_AT / 4;
  for (const target of targets) {
    target.set(words.subarray(out, out + rows * 2), row * 2);
    out += rows * 2;
  }
  return from + at - IN_AT;
}

/** @returns where it ends in the memory; zeros follow it */
function copyIn(bytes: Uint8Array, from: number, to: number): number {
  const end = IN_AT + to - from;
  memory.set(bytes.subarray(from, to), IN_AT);
  memory.fill(0, end, end + BEYOND_BYTES);
  return end;
}

export interface TextTarget {
  /** Takes so many texts, each with its length before it. */
  texts(encoded: Uint8Array, count: number): void;
}

/** Texts that are to be dealt out to targets in turn. */
export interface TextsWanted {
  /** TEXT_COLUMNS_MAX at most. */
  targets: readonly TextTarget[];
  /** Which target's turn it is. */
  first: number;
  count: number;
}

/**
 * Hands out texts that stand between `from` and `to`, a NUL behind each, as many as it can: perhaps none, where
 * the next one is long or has no NUL.
 * @returns how many, and the position behind them
 */
export function takeTexts(
  bytes: Uint8Array,
  from: number,
  to: number,
  { targets, first, count }: TextsWanted,
): { count: number; at: number } {
  const columns = targets.length;
  const room = Math.floor(OUT_BYTES / columns);
  const most = Math.min(
    ...[Math.max(count * TEXT_BYTES, TEXTS_BYTES_MIN), IN_BYTES - BEYOND_BYTES],
    Math.floor((room - 2 * BEYOND_BYTES) * SHARE_OF_LENGTHS),
  );
  for (let column = 0; column < columns; column++) slots[column] = OUT_AT + column * room;
  const inTo = copyIn(bytes, from, Math.min(to, from + most));
  const [done, at] = loops.texts(IN_AT, inTo, SLOTS_AT, columns, first, count);
  for (const [column, target] of targets.entries()) {
    const before = (column - first + columns) % columns;
    const own = Math.ceil((done - before) / columns);
    if (own > 0) target.texts(memory.subarray(OUT_AT + column * room, slots[column]), own);
  }
  return { count: done, at: from + at - IN_AT };
}
