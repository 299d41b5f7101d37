/** For tests: encodes QueryResults with a protobuf library, divided into batches and results as requested. */
import protobuf from 'protobufjs';
import { bytesFromText } from '../common/text/byte-text.ts';
import { CellType, type CellValue } from './index.ts';

export interface EncodedTable {
  names: string[];
  /** Row by row. */
  cells: CellValue[];
  batchCells: number;
  resultBatches: number;
}

const QueryResult = protobuf
  .parse(`
  syntax = "proto3";
  message CellsBatch {
    repeated uint32 cells = 1; repeated int64 varint_cells = 2; repeated double float64_cells = 3;
    repeated bytes blob_cells = 4; bytes string_cells = 5; bool is_last_batch = 6; bytes padding = 7;
  }
  message QueryResult {
    repeated bytes column_names = 1; optional string error = 2; repeated CellsBatch batch = 3;
    uint32 statement_count = 4; uint32 statement_with_output_count = 5;
    string last_statement_sql = 6; double elapsed_time_ms = 7;
  }`)
  .root.resolveAll()
  .lookupType('QueryResult');

function long(value: bigint): { low: number; high: number; unsigned: boolean } {
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: false,
  };
}

export function encodeBatch(cells: CellValue[], isLastBatch: boolean): object {
  const strings = cells.filter((cell) => typeof cell === 'string');
  return {
    cells: cells.map(kindOf),
    varintCells: cells.filter((cell) => typeof cell === 'bigint').map(long),
    float64Cells: cells.filter((cell) => typeof cell === 'number'),
    blobCells: cells.filter((cell) => cell instanceof Uint8Array),
    stringCells: Buffer.concat(strings.flatMap((text) => [bytesFromText(text), Buffer.of(0)])),
    isLastBatch,
    padding: Buffer.alloc(3, 0xff),
  };
}

export function kindOf(cell: CellValue): number {
  if (cell === null) return CellType.NULL;
  if (typeof cell === 'bigint') return CellType.VARINT;
  if (typeof cell === 'number') return CellType.FLOAT64;
  return typeof cell === 'string' ? CellType.STRING : CellType.BLOB;
}

export function encodeResult(message: object): Buffer {
  return Buffer.from(QueryResult.encode(QueryResult.fromObject(message)).finish());
}

/** Encodes a table as results. Batches hold `batchCells` cells and may end in mid-row. */
export function encodeTable({ names, cells, batchCells, resultBatches }: EncodedTable): Buffer[] {
  const batches: object[] = [];
  for (let at = 0; at === 0 || at < cells.length; at += batchCells)
    batches.push(encodeBatch(cells.slice(at, at + batchCells), at + batchCells >= cells.length));
  const results: Buffer[] = [];
  for (let at = 0; at < batches.length; at += resultBatches)
    results.push(
      encodeResult({
        columnNames: at === 0 ? names.map(bytesFromText) : [],
        batch: batches.slice(at, at + resultBatches),
        elapsedTimeMs: 1.5,
        lastStatementSql: 'SELECT 1',
      }),
    );
  return results;
}
