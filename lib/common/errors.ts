/**
 * The one error type of the project. Every failure that can reach a person has a code of this closed
 * set; docs/ARCHITECTURE.md lists them all, and a test holds the two together.
 */

/** Whose failure it is: the client's, a bound that was reached, a store or network outside, or ours. */
export type ErrorKind = 'user' | 'limit' | 'external' | 'internal';

interface CodeFacts {
  kind: ErrorKind;
  /** gRPC status code (google.rpc.Code). */
  grpcStatus: number;
  /** Whether the same trace may succeed on another worker. */
  retryable: boolean;
}

const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const CANCELLED = 1;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

export const ERROR_CODES = {
  /** A trace address that is no address: empty, no leading `/`, unknown prefix, prefix without path. */
  invalid_address: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** A query without traces. */
  no_traces: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** A query without SQL. */
  no_sql: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** A pattern that matches no trace. */
  no_match: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** A flag, environment variable, option or message field that is not what it must be. */
  invalid_option: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** Credentials that are missing or wrong. */
  unauthenticated: { kind: 'user', grpcStatus: UNAUTHENTICATED, retryable: false },
  /** An address that leads out of its store's root, or that the store does not let us read. */
  forbidden: { kind: 'user', grpcStatus: PERMISSION_DENIED, retryable: false },
  /** A trace that is not there. */
  trace_not_found: { kind: 'user', grpcStatus: INTERNAL, retryable: false },
  /** A store that did not give the trace's bytes, or not all of them. */
  store_failed: { kind: 'external', grpcStatus: INTERNAL, retryable: true },
  /** A trace that changed while it was being read. */
  trace_changed: { kind: 'external', grpcStatus: INTERNAL, retryable: true },
  /** Bytes that TraceProcessor does not load as a trace. */
  trace_invalid: { kind: 'user', grpcStatus: INTERNAL, retryable: false },
  /** SQL that TraceProcessor refuses; the message is its own. */
  sql_failed: { kind: 'user', grpcStatus: INTERNAL, retryable: false },
  /** The engine trapped or aborted on this trace or query. */
  engine_crashed: { kind: 'internal', grpcStatus: INTERNAL, retryable: true },
  /** A value that does not fit the type of its column. */
  type_mismatch: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** A trace whose columns are not those of the query. */
  columns_mismatch: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** A bound (bytes, rows, memory) that was passed. */
  limit_exceeded: { kind: 'limit', grpcStatus: RESOURCE_EXHAUSTED, retryable: false },
  /** More queries at a time than a bound allows: the same query can be asked again in a moment. */
  too_many_queries: { kind: 'limit', grpcStatus: RESOURCE_EXHAUSTED, retryable: false },
  /** The machine has no memory left for the engine, which stayed below its bound. */
  out_of_memory: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** Time that ran out. */
  deadline_exceeded: { kind: 'limit', grpcStatus: DEADLINE_EXCEEDED, retryable: false },
  /** The client disconnected or cancelled. */
  cancelled: { kind: 'user', grpcStatus: CANCELLED, retryable: false },
  /** The orchestrator has no worker it can reach. */
  no_workers: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** The worker that had the trace died, hung or was cut off. */
  worker_lost: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** The orchestrator cannot be reached, or was cut off. */
  orchestrator_unreachable: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** The service is shutting down and takes no new work. */
  draining: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** An expression over the catalog that ClickHouse refuses; the message is its own. */
  invalid_filter: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** The catalog in ClickHouse cannot be reached, or refuses what the service asks. */
  catalog_failed: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** All traces of a lenient query failed. */
  all_failed: { kind: 'user', grpcStatus: INTERNAL, retryable: false },
  /** A bug. */
  internal: { kind: 'internal', grpcStatus: INTERNAL, retryable: false },
} as const satisfies Record<string, CodeFacts>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** The trace it happened on; stands in front of the message as `[trace]: `. */
  trace?: string;
  cause?: unknown;
}

/** `message` is for people and complete: it names the trace (where there is one) and the bound. */
export class BigtraceError extends Error {
  override readonly name = 'BigtraceError';
  readonly code: ErrorCode;
  readonly trace: string | undefined;
  /** The message without the trace in front. */
  readonly detail: string;

  constructor(code: ErrorCode, detail: string, { trace, cause }: ErrorDetails = {}) {
    super(trace === undefined ? detail : `[${trace}]: ${detail}`, { cause });
    this.code = code;
    this.detail = detail;
    this.trace = trace;
  }

  get kind(): ErrorKind {
    return ERROR_CODES[this.code].kind;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  get grpcStatus(): number {
    return ERROR_CODES[this.code].grpcStatus;
  }

  /** The same error, said of a trace. */
  ofTrace(trace: string): BigtraceError {
    return new BigtraceError(this.code, this.detail, { trace, cause: this.cause });
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}

/** Anything thrown, as a BigtraceError; what is none already is a bug, `internal`. */
export function asBigtraceError(thrown: unknown): BigtraceError {
  if (thrown instanceof BigtraceError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new BigtraceError('internal', text, { cause: thrown });
}
