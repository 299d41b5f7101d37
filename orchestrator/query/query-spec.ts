/** The description of a query, its load, and the sink for its results. */
import type { BigtraceError } from '../../lib/common/errors.ts';
import type { TraceContext } from '../../lib/common/observability/tracing.ts';
import type { Column, Limits, RunMode } from '../../lib/proto/messages.ts';

export interface QuerySpec {
  queryId: string;
  /** The name that limits and fair sharing are counted under. */
  user: string;
  sql: Buffer;
  limits: Limits;
  mode: RunMode;
  /** Whether failed traces are reported as data (LENIENT) or end the query (STRICT). */
  lenient: boolean;
  /** Parent span of the query's own span and of the workers' spans. */
  traceContext: TraceContext | undefined;
}

/** What a query still has to do. */
export interface QueryLoad {
  /** Number of tasks that wait for a worker. */
  waiting: number;
  /** Number of tasks assigned to a worker. */
  inFlight: number;
  /** Bytes of the traces of both, where a listing reported them. */
  traceBytes: number;
}

/** Receives the results of a query; they may be buffered until `flush`. */
export interface Sink {
  rows(trace: Buffer, result: Buffer, last: boolean): void;
  types(trace: Buffer, columns: Column[]): void;
  failure(trace: Buffer, error: BigtraceError, attempts: number): void;
  /** Sends what is buffered. @returns false when the query must pause until `onDrain` is called */
  flush(): boolean;
  /** Called when the sink accepts more; set by the query. */
  onDrain: () => void;
}
