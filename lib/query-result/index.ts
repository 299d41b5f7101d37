/** Decodes and encodes Perfetto's QueryResults: cells, rows, kinds of cells. */
export { CellType } from './cell-type.ts';
export { type ColumnKinds, KindsCollector, kindsOf } from './kinds.ts';
export { type CellsBatch, type QueryResult, readQueryResult } from './reader.ts';
export { type CellValue, RowDecoder, rowsOf } from './rows.ts';
export { ResultStream } from './stream.ts';
export { eachField, WIRE_FIXED64, WireReader } from './wire.ts';
export { bytesField, pushLengthTag, pushVarint, pushVarintTag } from './wire-writer.ts';
export { type WrittenCell, writeQueryResult } from './writer.ts';
