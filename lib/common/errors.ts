/**
 * The error type of the project. Every failure that users can see has a code of this closed set. docs/ARCHITECTURE.md
 * lists the codes; a check keeps both in step.
 */

/** Who can remedy it: the client, a bound (wait or raise it), a store or network outside, or the developers. */
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
  /** The trace address is malformed: empty, without leading `/`, with an unknown store, or without a path. */
  invalid_address: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** The query names no traces. */
  no_traces: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** The query has no script. */
  no_sql: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** The pattern matches no trace. */
  no_match: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** A flag, environment variable, option or message field has an invalid value. */
  invalid_option: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** Credentials are missing or wrong. */
  unauthenticated: { kind: 'user', grpcStatus: UNAUTHENTICATED, retryable: false },
  /** The address leads out of its store's root, the store denies access, or the request's host or origin is rejected. */
  forbidden: { kind: 'user', grpcStatus: PERMISSION_DENIED, retryable: false },
  /** The trace does not exist. */
  trace_not_found: { kind: 'user', grpcStatus: INTERNAL, retryable: false },
  /** The store did not deliver the bytes of the trace, or not all of them. */
  store_failed: { kind: 'external', grpcStatus: INTERNAL, retryable: true },
  /** The trace changed while it was read. */
  trace_changed: { kind: 'external', grpcStatus: INTERNAL, retryable: true },
  /** TraceProcessor cannot load the bytes as a trace. */
  trace_invalid: { kind: 'user', grpcStatus: INTERNAL, retryable: false },
  /** TraceProcessor rejected the SQL; the message is TraceProcessor's. */
  sql_failed: { kind: 'user', grpcStatus: INTERNAL, retryable: false },
  /** The engine trapped or aborted on this trace or query. */
  engine_crashed: { kind: 'internal', grpcStatus: INTERNAL, retryable: true },
  /** A value does not fit the type of its column. */
  type_mismatch: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** The columns of a trace differ from those of the query. */
  columns_mismatch: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** A bound (bytes, rows, memory) was exceeded. */
  limit_exceeded: { kind: 'limit', grpcStatus: RESOURCE_EXHAUSTED, retryable: false },
  /** A bound on concurrent queries was reached: the client can run the query again later. */
  too_many_queries: { kind: 'limit', grpcStatus: RESOURCE_EXHAUSTED, retryable: false },
  /** The machine has no memory left for the engine, although the engine is below its bound. */
  out_of_memory: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** A time limit was exceeded. */
  deadline_exceeded: { kind: 'limit', grpcStatus: DEADLINE_EXCEEDED, retryable: false },
  /** The client disconnected, or cancelled the query. */
  cancelled: { kind: 'user', grpcStatus: CANCELLED, retryable: false },
  /** The orchestrator can reach no worker. */
  no_workers: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** The worker of the task died, hung or became unreachable. */
  worker_lost: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** The orchestrator is unreachable, or the connection broke. */
  orchestrator_unreachable: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** The service is shutting down and accepts no new work. */
  draining: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** ClickHouse rejected the expression over the catalog; the message is ClickHouse's. */
  invalid_filter: { kind: 'user', grpcStatus: INVALID_ARGUMENT, retryable: false },
  /** The catalog in ClickHouse is unreachable, or rejects the service's query. */
  catalog_failed: { kind: 'external', grpcStatus: UNAVAILABLE, retryable: true },
  /** Every trace of a lenient query failed. */
  all_failed: { kind: 'user', grpcStatus: INTERNAL, retryable: false },
  /** A bug in Bigtrace. */
  internal: { kind: 'internal', grpcStatus: INTERNAL, retryable: false },
} as const satisfies Record<string, CodeFacts>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** The trace that the error concerns; the message begins with `[trace]: `. */
  trace?: string;
  cause?: unknown;
  /** Memory in bytes that the trace needs, where it is more than the engine may have. */
  neededBytes?: number | undefined;
}

/** `message` is complete: it names the trace, if there is one, and the bound that was exceeded. */
export class BigtraceError extends Error {
  override readonly name = 'BigtraceError';
  readonly code: ErrorCode;
  readonly trace: string | undefined;
  /** The message without `[trace]: `. */
  readonly detail: string;
  readonly neededBytes: number | undefined;

  constructor(code: ErrorCode, detail: string, { trace, cause, neededBytes }: ErrorDetails = {}) {
    super(trace === undefined ? detail : `[${trace}]: ${detail}`, { cause });
    this.code = code;
    this.detail = detail;
    this.trace = trace;
    this.neededBytes = neededBytes;
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

  /** Returns the same error with a trace. */
  ofTrace(trace: string): BigtraceError {
    const { cause, neededBytes } = this;
    return new BigtraceError(this.code, this.detail, { trace, cause, neededBytes });
  }
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}

/** Returns a thrown value as a BigtraceError. Any other error is a bug, and becomes `internal`. */
export function asBigtraceError(thrown: unknown): BigtraceError {
  if (thrown instanceof BigtraceError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return new BigtraceError('internal', text, { cause: thrown });
}
