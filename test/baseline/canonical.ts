/**
 * The one form in which answers are compared, whichever way they came: a row is its cells, a cell a letter and
 * its exact value. N is NULL, I an integer in decimal, D a double by its bits, S text and B a blob by their bytes.
 * ClickHouse's columns have one type each and know no blobs, so a row that came over gRPC is first cast to these.
 */
import { createHash } from 'node:crypto';
import { bytesFromText } from '../../lib/common/text/byte-text.ts';
import type { CellValue } from '../../lib/query-result/index.ts';

/** As a Buffer of `latin1`: any byte is one character. */
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

/** What a cell must be in a ClickHouse column of this type. */
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

/** Of names (their bytes, as latin1) and rows, in their order; lengths stand in front, so that nothing runs into its neighbour. */
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
