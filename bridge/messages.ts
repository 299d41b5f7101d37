/**
 * The few messages of proto/bigtrace.proto that the bridge speaks, coded by hand: loading a protobuf
 * library would cost every query more time than the rest of its start. Tests hold them to the .proto.
 */
import { BigtraceError } from '../common/errors.ts';
import { WIRE_BYTES, WIRE_VARINT, WireReader } from '../query-result/wire.ts';
import { bytesField, fieldHead } from '../query-result/wire-writer.ts';

export interface Start {
  queryId: string;
  sql: Buffer;
  lenient: boolean;
  user: string;
}

export interface RowsEvent {
  trace: Uint8Array;
  /** One encoded QueryResult; a view of the message. */
  result: Uint8Array;
  last: boolean;
}

export interface FailureEvent {
  trace: Uint8Array;
  code: string;
  message: string;
}

export type Event = { rows: RowsEvent } | { failure: FailureEvent };

/** A column as SchemaResponse has it. */
export interface SchemaColumn {
  name: Uint8Array;
  cellKinds: number;
}

// ---- out

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

export function encodeSchemaRequest(start: Start, addresses: readonly Uint8Array[]): Buffer {
  return Buffer.concat([
    bytesField(1, Buffer.from(start.queryId)),
    bytesField(2, start.sql),
    ...addresses.flatMap((address) => [fieldHead(3, address.length), address]),
    bytesField(4, Buffer.from(start.user)),
    start.lenient ? Buffer.of(6 << 3, 1) : Buffer.of(),
  ]);
}

// ---- in

/** The events of a QueryResponse that carry something for the bridge. */
export function decodeQueryResponse(message: Uint8Array): Event[] {
  const events: Event[] = [];
  eachField(new WireReader(message), (number, reader) => {
    if (number !== 1) return false;
    const event = decodeEvent(nested(reader));
    if (event !== undefined) events.push(event);
    return true;
  });
  return events;
}

function decodeEvent(reader: WireReader): Event | undefined {
  let event: Event | undefined;
  eachField(reader, (number) => {
    if (number === 1) event = { rows: decodeRows(nested(reader)) };
    else if (number === 2) event = { failure: decodeFailure(nested(reader)) };
    return number === 1 || number === 2;
  });
  return event;
}

function decodeRows(reader: WireReader): RowsEvent {
  const rows: RowsEvent = { trace: EMPTY, result: EMPTY, last: false };
  eachField(reader, (number) => {
    if (number === 1) rows.trace = reader.bytes();
    else if (number === 2) rows.result = reader.bytes();
    else if (number === 3) rows.last = reader.varint() !== 0;
    return number <= 3;
  });
  return rows;
}

function decodeFailure(reader: WireReader): FailureEvent {
  const failure: FailureEvent = { trace: EMPTY, code: '', message: '' };
  eachField(reader, (number) => {
    if (number === 1) failure.trace = reader.bytes();
    else if (number === 2) failure.code = text(reader);
    else if (number === 3) failure.message = text(reader);
    return number <= 3;
  });
  return failure;
}

export function decodeSchemaResponse(message: Uint8Array): SchemaColumn[] {
  const columns: SchemaColumn[] = [];
  eachField(new WireReader(message), (number, reader) => {
    if (number !== 1) return false;
    const column: SchemaColumn = { name: EMPTY, cellKinds: 0 };
    eachField(nested(reader), (inner, within) => {
      if (inner === 1) column.name = within.bytes();
      else if (inner === 2) column.cellKinds = within.varint();
      return inner <= 2;
    });
    columns.push(column);
    return true;
  });
  return columns;
}

export const EMPTY = new Uint8Array(0);

export function nested(reader: WireReader): WireReader {
  const end = reader.bytesEnd();
  const inner = new WireReader(reader.buffer, reader.at, end);
  reader.at = end;
  return inner;
}

export function text(reader: WireReader): string {
  return Buffer.from(reader.bytes()).toString('utf8');
}

/** Calls `read` for each field; one that it does not take (returns false) is skipped. */
export function eachField(
  reader: WireReader,
  read: (number: number, reader: WireReader) => boolean,
): void {
  while (reader.at < reader.end) {
    const tag = reader.varint();
    const wireType = tag % 8;
    if (wireType !== WIRE_BYTES && wireType !== WIRE_VARINT) {
      reader.skip(wireType);
      continue;
    }
    if (!read(Math.floor(tag / 8), reader)) reader.skip(wireType);
  }
  if (reader.at !== reader.end)
    throw new BigtraceError('internal', 'malformed message from the orchestrator');
}
