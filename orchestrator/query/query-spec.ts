/** What a query is: what it asks, and where its answers go. */
import type { BigtraceError } from '../../lib/common/errors.ts';
import type { TraceContext } from '../../lib/common/observability/tracing.ts';
import type { Column, Limits, RunMode } from '../../lib/proto/messages.ts';

export interface QuerySpec {
  queryId: string;
  /** Who asks. */
  user: string;
  sql: Buffer;
  limits: Limits;
  mode: RunMode;
  /** Whether failed traces are data (LENIENT) or end the query. */
  lenient: boolean;
  /** The span that its own, and those of the workers, belong under. */
  traceContext: TraceContext | undefined;
}

/** Where the answers go. What is put is held until `flush`. */
export interface Sink {
  rows(trace: Buffer, result: Buffer, last: boolean): void;
  types(trace: Buffer, columns: Column[]): void;
  failure(trace: Buffer, error: BigtraceError, attempts: number): void;
  /** False: no more until `onDrain` was called. */
  flush(): boolean;
  /** Set by the query. */
  onDrain: () => void;
}
