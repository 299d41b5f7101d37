/**
 * The canonical form in which results of all ways are compared. A row is a list of cells; a cell is a letter followed
 * by the exact value: N for NULL, I for an integer in decimal, D for the bits of a double, S for the bytes of a text,
 * and B for the bytes of a blob. ClickHouse columns have one type each and no blobs, so rows that came over gRPC are
 * cast to the column types first.
 */
import { createHash } from 'node:crypto';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';

/** A cell as a latin1 string: one character per byte. */
export type Cell = string;

export const NULL: Cell = 'N';

export function integer(value: bigint): Cell {
  return `I${value}`;
}

export function double(value: number): Cell {
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value);
  return `D${Number.isNaN(value) ? 'nan' : bits.toString('hex')}`;
}

export function bytes(kind: 'S' | 'B', value: Uint8Array): Cell {
  return `${kind}${Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')}`;
}

export function exactCell(value: CellValue): Cell {
  if (value === null) return NULL;
  if (typeof value === 'bigint') return integer(value);
  if (typeof value === 'number') return double(value);
  if (typeof value === 'string') return bytes('S', bytesFromText(value));
  return bytes('B', value);
}

/** Returns the cell that a ClickHouse column of this type must have for the value. */
export function castCell(value: CellValue, type: string): Cell {
  if (value === null) return NULL;
  const base = type.replace(/^Nullable\((.*)\)$/, '$1');
  if (base === 'Float64') return double(Number(value));
  if (base !== 'String') return exactCell(value);
  if (typeof value === 'bigint') return `S${value}`;
  if (typeof value === 'number') return `S${doubleAsText(value)}`;
  return bytes('S', typeof value === 'string' ? bytesFromText(value) : value);
}

function doubleAsText(value: number): string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? String(value) : value > 0 ? 'inf' : '-inf';
}

const DIGEST_LETTERS = 16;

/**
 * Returns a digest of column names (their bytes as latin1) and rows, in order. Each value is hashed with its length,
 * so that different splits into values have different digests.
 */
export function digestOf(names: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const hash = createHash('sha256');
  const add = (cells: readonly string[]): void => {
    hash.update(`${cells.length}\n`);
    for (const cell of cells) hash.update(`${cell.length}:${cell}`, 'latin1');
  };
  add(names);
  for (const row of rows) add(row);
  return hash.digest('hex').slice(0, DIGEST_LETTERS);
}
