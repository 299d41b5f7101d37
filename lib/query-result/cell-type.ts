/** The kinds of cells: `CellsBatch.CellType` of Perfetto's QueryResult, without 0 (invalid). */
export const CellType = {
  NULL: 1,
  VARINT: 2,
  FLOAT64: 3,
  STRING: 4,
  BLOB: 5,
} as const;

export const CELL_TYPE_MAX = 5;
