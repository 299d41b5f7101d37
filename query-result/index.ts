/** Reading encoded QueryResults: cells, rows, kinds of cells. */
export { CELL_TYPE_MAX, CellType } from './cell-type.ts';
export { type ColumnKinds, KindsCollector, kindsOf } from './kinds.ts';
export { type CellsBatch, type QueryResult, readQueryResult } from './reader.ts';
export { type CellValue, RowDecoder, rowsOf } from './rows.ts';
export { ResultStream } from './stream.ts';
export { malformed, WireReader } from './wire.ts';
