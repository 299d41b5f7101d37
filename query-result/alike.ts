/** @returns whether `types`, those of cells, are of whole rows of `width` cells, and the same in each */
export function rowsAreAlike(types: Uint8Array, width: number): boolean {
  if (width === 0 || types.length % width !== 0) return false;
  return Buffer.compare(types.subarray(width), types.subarray(0, types.length - width)) === 0;
}
