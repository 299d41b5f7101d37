/**
 * TraceProcessor's RPC (perfetto/trace_processor/trace_processor.proto): requests and replies are
 * `TraceProcessorRpc` messages, each framed as field 1 of a `TraceProcessorRpcStream`.
 */
import { FieldCursor, pushLengthTag, pushVarint, pushVarintTag, readVarint } from './protobuf.ts';

export type Method = 'append' | 'finalize' | 'query' | 'status';

const METHOD_NUMBER: Record<Method, number> = { append: 1, finalize: 2, query: 3, status: 10 };

const FRAME = 1;
const REQUEST = 2;
const FATAL_ERROR = 5;
const APPEND_TRACE_DATA = 101;
const QUERY_ARGS = 103;
const QUERY_ARGS_SQL = 1;
const APPEND_RESULT = 201;
const QUERY_RESULT = 203;
const STATUS_RESULT = 210;
const FINALIZE_RESULT = 212;

/**
 * The bytes of a request up to its body (append: bytes of trace; query: the SQL), which follows.
 * `seq` is left out: TraceProcessor takes a request without one whatever came before, so a restored
 * instance needs no counter.
 */
export function requestHead(method: Method, bodyLength: number): Uint8Array {
  const args: number[] = [];
  if (method === 'append') pushLengthTag(args, APPEND_TRACE_DATA, bodyLength);
  if (method === 'query') {
    const sqlTag: number[] = [];
    pushLengthTag(sqlTag, QUERY_ARGS_SQL, bodyLength);
    pushLengthTag(args, QUERY_ARGS, sqlTag.length + bodyLength);
    args.push(...sqlTag);
  }
  const message: number[] = [];
  pushVarintTag(message, REQUEST);
  pushVarint(message, METHOD_NUMBER[method]);
  message.push(...args);
  const head: number[] = [];
  pushLengthTag(head, FRAME, message.length + bodyLength);
  return Uint8Array.from([...head, ...message]);
}

/** What a reply says, as far as this project asks. */
export interface Reply {
  /** TraceProcessor refused the request itself. */
  fatalError?: string;
  appendError?: string;
  finalizeError?: string;
  /** Encoded `QueryResult`: a view, valid until the engine runs on. */
  queryResult?: Uint8Array;
  /** The version, as in "Perfetto v55.3-…". */
  version?: string;
}

export function readReply(message: Uint8Array): Reply {
  const reply: Reply = {};
  const cursor = new FieldCursor(message);
  while (cursor.next()) {
    if (cursor.field === FATAL_ERROR) reply.fatalError = text(cursor.bytes);
    else if (cursor.field === APPEND_RESULT) assign(reply, 'appendError', cursor.bytes, 2);
    else if (cursor.field === FINALIZE_RESULT) assign(reply, 'finalizeError', cursor.bytes, 1);
    else if (cursor.field === STATUS_RESULT) assign(reply, 'version', cursor.bytes, 2);
    else if (cursor.field === QUERY_RESULT) reply.queryResult = cursor.bytes;
  }
  return reply;
}

/** The error an encoded `QueryResult` carries. */
export function queryError(result: Uint8Array): string | undefined {
  return stringField(result, 2);
}

function assign(
  reply: Reply,
  key: 'appendError' | 'finalizeError' | 'version',
  message: Uint8Array,
  field: number,
): void {
  const value = stringField(message, field);
  if (value !== undefined) reply[key] = value;
}

function stringField(message: Uint8Array, field: number): string | undefined {
  const cursor = new FieldCursor(message);
  while (cursor.next()) if (cursor.field === field) return text(cursor.bytes);
  return undefined;
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Cuts the engine's reply stream into messages; one may span several pieces, a piece hold several. */
export class ReplyFrames {
  #rest: Uint8Array = new Uint8Array(0);

  /** `onMessage` gets views into `piece` wherever a message lies in it whole. */
  push(piece: Uint8Array, onMessage: (message: Uint8Array) => void): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    for (;;) {
      const end = frameEnd(bytes, at);
      if (end === undefined) break;
      const frame = new FieldCursor(bytes.subarray(at, end));
      at = end;
      if (frame.next()) onMessage(frame.bytes);
    }
    this.#rest = at < bytes.length ? bytes.slice(at) : new Uint8Array(0);
  }

  /** Forgets a message that is half there. */
  clear(): void {
    this.#rest = new Uint8Array(0);
  }
}

/** Where the frame that starts at `at` ends; undefined when it is not whole yet. */
function frameEnd(bytes: Uint8Array, at: number): number | undefined {
  const [, tagLength] = readVarint(bytes, at);
  const [length, lengthLength] = readVarint(bytes, at + tagLength);
  if (tagLength === 0 || lengthLength === 0) return undefined;
  const end = at + tagLength + lengthLength + length;
  return end <= bytes.length ? end : undefined;
}
