/**
 * TraceProcessor's RPC (perfetto/trace_processor/trace_processor.proto): requests and replies are
 * `TraceProcessorRpc` messages, each framed as field 1 of a `TraceProcessorRpcStream`.
 */
import {
  bytesField,
  eachField,
  pushLengthTag,
  pushVarint,
  pushVarintTag,
  WireReader,
} from '../../query-result/index.ts';
import type { SqlPackage } from '../script/sql-packages.ts';

export type Method = 'append' | 'finalize' | 'query' | 'status' | 'register' | 'summarize';

const METHOD_NUMBER: Record<Method, number> = {
  append: 1,
  finalize: 2,
  query: 3,
  status: 10,
  register: 13,
  summarize: 15,
};

const FRAME = 1;
const REQUEST = 2;
const FATAL_ERROR = 5;
const APPEND_TRACE_DATA = 101;
const QUERY_ARGS = 103;
const QUERY_ARGS_SQL = 1;
const REGISTER_ARGS = 108;
const SUMMARY_ARGS = 110;
const APPEND_RESULT = 201;
const QUERY_RESULT = 203;
const STATUS_RESULT = 210;
const REGISTER_RESULT = 211;
const FINALIZE_RESULT = 212;
const SUMMARY_RESULT = 214;

/**
 * Returns the bytes of a request up to its body, which the caller sends next. The body of `append` is bytes of the
 * trace, that of `query` the SQL, that of `register` and `summarize` the encoded arguments (see below).
 * `seq` is omitted: TraceProcessor accepts a request without it regardless of earlier requests, so a restored
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
  if (method === 'register') pushLengthTag(args, REGISTER_ARGS, bodyLength);
  if (method === 'summarize') pushLengthTag(args, SUMMARY_ARGS, bodyLength);
  const message: number[] = [];
  pushVarintTag(message, REQUEST);
  pushVarint(message, METHOD_NUMBER[method]);
  message.push(...args);
  const head: number[] = [];
  pushLengthTag(head, FRAME, message.length + bodyLength);
  return Uint8Array.from([...head, ...message]);
}

/**
 * Encodes `RegisterSqlPackageArgs`. The names of its modules begin with the package's name.
 * @param replaces whether a package of that name is replaced
 */
export function registerArgs({ name, modules }: SqlPackage, replaces: boolean): Uint8Array {
  return Buffer.concat([
    replaces ? Buffer.of(3 * 8, 1) : Buffer.of(),
    bytesField(1, Buffer.from(name)),
    ...modules.map((module) =>
      bytesField(
        2,
        Buffer.concat([bytesField(1, Buffer.from(module.name)), bytesField(2, module.sql)]),
      ),
    ),
  ]);
}

/** Encodes `TraceSummaryArgs` for all metrics of a specification in textproto; requests a binary summary. */
export function summaryArgs(spec: Uint8Array): Uint8Array {
  const allMetrics = Buffer.of(3 * 8, 1);
  const asProto = Buffer.of(4 * 8, 0); // the engine requires the field, even with this value
  return Buffer.concat([bytesField(2, spec), bytesField(3, allMetrics), asProto]);
}

/** The fields of a reply that this project uses. */
export interface Reply {
  /** TraceProcessor refused the request itself. */
  fatalError?: string;
  appendError?: string;
  finalizeError?: string;
  registerError?: string;
  summaryError?: string;
  /** Encoded `TraceSummary`: a view, valid until the engine continues. */
  summary?: Uint8Array;
  /** Encoded `QueryResult`: a view, valid until the engine continues. */
  queryResult?: Uint8Array;
  /** The version, such as "Perfetto v55.3-…". */
  version?: string;
}

export function readReply(message: Uint8Array): Reply {
  const reply: Reply = {};
  eachField(message, (field, reader) => {
    if (field === QUERY_RESULT) reply.queryResult = reader.bytes();
    else if (field === FATAL_ERROR) reply.fatalError = reader.text();
    else if (field === APPEND_RESULT) assign(reply, 'appendError', textField(reader.bytes(), 2));
    else if (field === FINALIZE_RESULT)
      assign(reply, 'finalizeError', textField(reader.bytes(), 1));
    else if (field === STATUS_RESULT) assign(reply, 'version', textField(reader.bytes(), 2));
    else if (field === REGISTER_RESULT)
      assign(reply, 'registerError', textField(reader.bytes(), 1));
    else if (field === SUMMARY_RESULT) readSummary(reply, reader.bytes());
  });
  return reply;
}

/** Returns the error in an encoded `QueryResult`, if it has one. */
export function queryError(result: Uint8Array): string | undefined {
  return textField(result, 2);
}

function readSummary(reply: Reply, result: Uint8Array): void {
  eachField(result, (field, reader) => {
    if (field === 1) reply.summary = reader.bytes();
    else if (field === 3) reply.summaryError = reader.text();
  });
}

function assign(
  reply: Reply,
  key: 'appendError' | 'finalizeError' | 'registerError' | 'version',
  value: string | undefined,
): void {
  if (value !== undefined) reply[key] = value;
}

function textField(message: Uint8Array, fieldNumber: number): string | undefined {
  let text: string | undefined;
  eachField(message, (field, reader) => {
    if (field === fieldNumber) text = reader.text();
  });
  return text;
}

/** Splits the engine's reply stream into messages. A message may span pieces; a piece may contain several messages. */
export class ReplyFrames {
  /** Copies of the pieces of an incomplete message. */
  #pieces: Uint8Array[] = [];
  #length = 0;
  #needed = 0;

  /** Passes each complete message to `onMessage`: as a view into `piece`, or as a copy if it spans pieces. */
  push(piece: Uint8Array, onMessage: (message: Uint8Array) => void): void {
    let bytes = piece;
    if (this.#pieces.length > 0) {
      this.#hold(piece);
      if (this.#length < this.#needed) return;
      bytes = Buffer.concat(this.#pieces);
      this.clear();
    }
    let at = 0;
    while (at < bytes.length) {
      const { from, to } = frameAt(bytes, at);
      if (to > bytes.length) {
        this.#hold(bytes.subarray(at));
        this.#needed = to - at;
        return;
      }
      at = to;
      onMessage(bytes.subarray(from, to));
    }
  }

  /** Discards an incomplete message. */
  clear(): void {
    this.#pieces = [];
    this.#length = 0;
  }

  #hold(piece: Uint8Array): void {
    this.#pieces.push(piece.slice());
    this.#length += piece.length;
  }
}

/**
 * Returns where the message of the frame at `at` begins and ends. A frame begins with a tag (one byte) and a length
 * (a varint); while the length is incomplete, both offsets are past the end of `bytes`.
 */
function frameAt(bytes: Uint8Array, at: number): { from: number; to: number } {
  const reader = new WireReader(bytes, at + 1);
  const lengthIsWhole = bytes.subarray(at + 1, at + 1 + 10).some((byte) => byte < 0x80);
  if (!lengthIsWhole) return { from: bytes.length + 1, to: bytes.length + 1 };
  const length = reader.varint();
  return { from: reader.at, to: reader.at + length };
}
