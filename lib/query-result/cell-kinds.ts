/** Which kinds of cells columns hold: quick where rows are alike, as most are. */
import { CELL_TYPE_MAX } from './cell-type.ts';
import { malformed } from './wire.ts';

/**
 * Adds the kinds of cells, of which the first is one of `column`.
 * @param kinds for each column the set of bits `1 << CellType` of its cells
 * @returns the column behind the last cell
 * @throws internal, where a cell is of no kind
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

/** Whether they are of whole rows, if perhaps from within one to within one, which are the same. */
function rowsAreAlike(types: Uint8Array, width: number): boolean {
  if (width === 0 || types.length % width !== 0) return false;
  return Buffer.compare(types.subarray(width), types.subarray(0, types.length - width)) === 0;
}
