/**
 * Locates the parts of an encoded `perfetto.protos.QueryResult` (v55, perfetto/trace_processor.proto) in one
 * pass, without decoding cells. Cells are not copied; offsets are into the buffer that was read.
 */
import { textFromBytes } from '../common/text/byte-text.ts';
import { malformed, WIRE_BYTES, WIRE_VARINT, WireReader } from './wire.ts';

/** Offsets of a CellsBatch's parts, each `[from, to)`; an absent part is empty. */
export interface CellsBatch {
  /** The CellType of each cell, one byte each, row by row. */
  cellsFrom: number;
  cellsTo: number;
  /** Packed int64 varints of the VARINT cells. */
  varintsFrom: number;
  varintsTo: number;
  /** Little-endian doubles of the FLOAT64 cells. */
  floatsFrom: number;
  floatsTo: number;
  /** NUL-terminated strings of the STRING cells. */
  stringsFrom: number;
  stringsTo: number;
  /** `from, to` of each BLOB cell, in order. */
  blobs: number[];
  isLast: boolean;
}

export interface QueryResult {
  buffer: Uint8Array;
  /** Decoded by textFromBytes; empty unless this is the first result of its trace. */
  columnNames: string[];
  /** The engine's error message; undefined unless the script failed. */
  error: string | undefined;
  batches: CellsBatch[];
  statementCount: number;
  statementWithOutputCount: number;
}

/** Reads an encoded QueryResult. @throws BigtraceError internal when the bytes are malformed */
export function readQueryResult(buffer: Uint8Array): QueryResult {
  const reader = new WireReader(buffer);
  const result: QueryResult = {
    buffer,
    columnNames: [],
    error: undefined,
    batches: [],
    statementCount: 0,
    statementWithOutputCount: 0,
  };
  while (reader.at < reader.end) {
    const tag = reader.varint();
    const field = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (field >= 1 && field <= 3 && wireType === WIRE_BYTES) {
      if (field === 1) result.columnNames.push(textFromBytes(reader.bytes()));
      else if (field === 2) result.error = textFromBytes(reader.bytes());
      else result.batches.push(readBatch(reader));
    } else if (field === 4 && wireType === WIRE_VARINT) {
      result.statementCount = reader.varint();
    } else if (field === 5 && wireType === WIRE_VARINT) {
      result.statementWithOutputCount = reader.varint();
    } else if (field === 0 || field <= 5) {
      throw malformed(`field ${field} has wire type ${wireType}`);
    } else {
      reader.skip(wireType);
    }
  }
  return result;
}

/** Reads the CellsBatch whose length prefix is at `reader.at`. */
function readBatch(reader: WireReader): CellsBatch {
  const batch: CellsBatch = {
    cellsFrom: 0,
    cellsTo: 0,
    varintsFrom: 0,
    varintsTo: 0,
    floatsFrom: 0,
    floatsTo: 0,
    stringsFrom: 0,
    stringsTo: 0,
    blobs: [],
    isLast: false,
  };
  const messageEnd = reader.end;
  reader.end = reader.bytesEnd();
  let fieldsRead = 0;
  while (reader.at < reader.end) {
    const tag = reader.varint();
    const field = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (field === 0) throw malformed('field 0 in a batch');
    if (field > 6) {
      reader.skip(wireType);
      continue;
    }
    // TraceProcessor writes each part once. Joining repeated parts would need copies and hide a bug.
    if (field !== 4 && (fieldsRead & (1 << field)) !== 0)
      throw malformed(`batch field ${field} twice`);
    fieldsRead |= 1 << field;
    if (wireType !== (field === 6 ? WIRE_VARINT : WIRE_BYTES))
      throw malformed(`batch field ${field} has wire type ${wireType}`);
    if (field === 6) {
      batch.isLast = reader.varint() !== 0;
      continue;
    }
    const to = reader.bytesEnd();
    setPart(batch, field, reader.at, to);
    reader.at = to;
  }
  if ((batch.floatsTo - batch.floatsFrom) % 8 !== 0) throw malformed('a double is cut short');
  if (batch.stringsTo > batch.stringsFrom && reader.buffer[batch.stringsTo - 1] !== 0)
    throw malformed('the last string has no end');
  reader.end = messageEnd;
  return batch;
}

function setPart(batch: CellsBatch, field: number, from: number, to: number): void {
  if (field === 1) {
    batch.cellsFrom = from;
    batch.cellsTo = to;
  } else if (field === 2) {
    batch.varintsFrom = from;
    batch.varintsTo = to;
  } else if (field === 3) {
    batch.floatsFrom = from;
    batch.floatsTo = to;
  } else if (field === 4) {
    batch.blobs.push(from, to);
  } else {
    batch.stringsFrom = from;
    batch.stringsTo = to;
  }
}
