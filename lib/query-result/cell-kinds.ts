/** Collects the kinds of cells of each column; fast when all rows have the same kinds, as most do. */
import { CELL_TYPE_MAX } from './cell-type.ts';
import { malformed } from './wire.ts';

/**
 * Adds the kinds of a run of cells to `kinds`.
 * @param kinds for each column, the set of bits `1 << CellType` of its cells
 * @param types the CellType of each cell, one byte each
 * @param column column of the first cell
 * @returns the column after the last cell
 * @throws BigtraceError internal when a cell type is unknown
 */
export function addKinds(kinds: Uint8Array, types: Uint8Array, column: number): number {
  const width = kinds.length;
  const to = rowsAreAlike(types, width) ? Math.min(width, types.length) : types.length;
  let at = column;
  for (let cell = 0; cell < to; cell++) {
    const type = types[cell] as number;
    if (type === 0 || type > CELL_TYPE_MAX) throw malformed(`cell type ${type}`);
    kinds[at] = (kinds[at] as number) | (1 << type);
    if (++at === width) at = 0;
  }
  return at;
}

/** Whether the cells fill whole rows (which may begin in mid-row) and each has the type of the cell one row before. */
function rowsAreAlike(types: Uint8Array, width: number): boolean {
  if (width === 0 || types.length % width !== 0) return false;
  return Buffer.compare(types.subarray(width), types.subarray(0, types.length - width)) === 0;
}
