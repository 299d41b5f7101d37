/**
 * Hand-written encoders and decoders of the messages of lib/proto/bigtrace.proto that the bridge uses: loading a
 * protobuf library takes longer than the rest of the start of a query. Tests compare them with the .proto.
 */
import { eachField } from '../../lib/query-result/wire.ts';
import {
  bytesField,
  fieldHead,
  pushVarint,
  pushVarintTag,
} from '../../lib/query-result/wire-writer.ts';

export interface Start {
  queryId: string;
  sql: Buffer;
  lenient: boolean;
  user: string;
}

export interface RowsEvent {
  trace: Uint8Array;
  /** One encoded QueryResult: a view of the message's bytes, not a copy. */
  result: Uint8Array;
  last: boolean;
}

export interface FailureEvent {
  trace: Uint8Array;
  code: string;
  message: string;
}

export type Event = { rows: RowsEvent } | { failure: FailureEvent };

/** A Column of SchemaResponse, without the fields that the bridge does not use. */
export interface SchemaColumn {
  name: Uint8Array;
  cellKinds: number;
  /** Kinds that the orchestrator learned from values that did not fit. */
  learnedKinds: number;
}

/** The fields of LearnRequest about the column. */
export interface LearnedType {
  /** Position of the column in the result of the script, from 0. */
  column: number;
  /** Bits as in Column.cell_kinds. */
  kinds: number;
  /** addressesDigest of the addresses in the SchemaRequest that found the columns. */
  tracesDigest: Buffer;
}

// ---- Encoders

export function encodeStart({ queryId, sql, lenient, user }: Start): Buffer {
  const start = Buffer.concat([
    bytesField(1, Buffer.from(queryId)),
    bytesField(2, sql),
    lenient ? Buffer.of(3 << 3, 1) : Buffer.of(),
    bytesField(5, Buffer.from(user)),
  ]);
  return bytesField(1, start);
}

export function encodeTraces(addresses: readonly Uint8Array[]): Buffer {
  return bytesField(
    2,
    Buffer.concat(addresses.flatMap((address) => [fieldHead(1, address.length), address])),
  );
}

export function encodeSchemaRequest(
  start: Start & { again: boolean },
  addresses: readonly Uint8Array[],
): Buffer {
  return Buffer.concat([
    bytesField(1, Buffer.from(start.queryId)),
    bytesField(2, start.sql),
    ...addresses.flatMap((address) => [fieldHead(3, address.length), address]),
    bytesField(4, Buffer.from(start.user)),
    start.lenient ? Buffer.of(6 << 3, 1) : Buffer.of(),
    start.again ? Buffer.of(7 << 3, 1) : Buffer.of(),
  ]);
}

export function encodeLearnRequest(
  { user, sql }: Start,
  { column, kinds, tracesDigest }: LearnedType,
): Buffer {
  const numbers: number[] = [];
  for (const [field, value] of [
    [3, column],
    [4, kinds],
  ] as const) {
    pushVarintTag(numbers, field);
    pushVarint(numbers, value);
  }
  return Buffer.concat([
    bytesField(1, Buffer.from(user)),
    bytesField(2, sql),
    Buffer.from(numbers),
    bytesField(5, tracesDigest),
  ]);
}

// ---- Decoders

/** Returns the rows and failures of a QueryResponse. Other events are skipped. */
export function decodeQueryResponse(message: Uint8Array): Event[] {
  const events: Event[] = [];
  eachField(message, (number, response) => {
    if (number !== 1) return;
    eachField(response.bytes(), (kind, reader) => {
      if (kind === 1) events.push({ rows: decodeRows(reader.bytes()) });
      else if (kind === 2) events.push({ failure: decodeFailure(reader.bytes()) });
    });
  });
  return events;
}

function decodeRows(message: Uint8Array): RowsEvent {
  const rows: RowsEvent = { trace: EMPTY, result: EMPTY, last: false };
  eachField(message, (field, reader) => {
    if (field === 1) rows.trace = reader.bytes();
    else if (field === 2) rows.result = reader.bytes();
    else if (field === 3) rows.last = reader.varint() !== 0;
  });
  return rows;
}

function decodeFailure(message: Uint8Array): FailureEvent {
  const failure: FailureEvent = { trace: EMPTY, code: '', message: '' };
  eachField(message, (field, reader) => {
    if (field === 1) failure.trace = reader.bytes();
    else if (field === 2) failure.code = reader.text();
    else if (field === 3) failure.message = reader.text();
  });
  return failure;
}

export function decodeSchemaResponse(message: Uint8Array): SchemaColumn[] {
  const columns: SchemaColumn[] = [];
  eachField(message, (number, response) => {
    if (number !== 1) return;
    const column: SchemaColumn = { name: EMPTY, cellKinds: 0, learnedKinds: 0 };
    eachField(response.bytes(), (field, reader) => {
      if (field === 1) column.name = reader.bytes();
      else if (field === 2) column.cellKinds = reader.varint();
      else if (field === 4) column.learnedKinds = reader.varint();
    });
    columns.push(column);
  });
  return columns;
}

export const EMPTY = new Uint8Array(0);
