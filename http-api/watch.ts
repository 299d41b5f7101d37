/** What the HTTP API reads from the orchestrators, and asks of them. */
import type { SystemState, Vocabulary } from './contract/console.ts';
import type { Cost } from './contract/page.ts';

export interface QueryCounts extends Cost {
  tracesDone: number;
  tracesFailed: number;
  tracesTotal: number;
  /** Whether all traces have been listed. */
  totalIsFinal: boolean;
}

export interface OpenTrace {
  /** Size in bytes; 0 if the store does not report it. */
  size: number;
  /** Changes whenever the content changes. */
  generation: string;
  /** @param length in bytes; 0 reads to the end */
  read(offset: number, length: number): AsyncIterable<Buffer>;
}

export interface QueryWatch {
  /** Progress of a query that is running or has ended recently; undefined if no reachable orchestrator knows it. */
  counts(queryId: string): Promise<QueryCounts | undefined>;
  /** The first `limit` distinct error messages of the query and its failed traces. */
  failures(queryId: string, limit: number): Promise<string[]>;
  /** Cancels all running queries with this ID. @returns the number of cancelled queries */
  cancel(queryId: string): Promise<number>;
  /** How many traces these addresses and patterns name. @throws no_match, and errors of orchestrators and stores */
  countTraces(addresses: readonly string[], signal: AbortSignal): Promise<number>;
  /** @throws trace_not_found, and errors of orchestrators, workers and stores */
  openTrace(address: string, signal: AbortSignal): Promise<OpenTrace>;
}

/** A failed trace, or a query that failed as a whole. */
export interface ConsoleFailure {
  queryId: string;
  /** Empty if the query failed as a whole. */
  trace: string;
  /** Error code of lib/common/errors.ts. */
  code: string;
  message: string;
  /** Milliseconds since the epoch. */
  timeMs: number;
}

export interface SystemWatch {
  /** @throws orchestrator_unreachable if no orchestrator can be reached */
  state(): Promise<SystemState>;
  /** The failures that the orchestrators remember, newest query of each first. @throws orchestrator_unreachable */
  recentFailures(): Promise<ConsoleFailure[]>;
  /**
   * The names that scripts can use.
   * @param engine name of an engine; empty: that of scripts that name none
   * @throws invalid_option if no worker has it, no_workers, orchestrator_unreachable
   */
  vocabulary(engine: string, signal: AbortSignal): Promise<Vocabulary>;
  /** See QueryWatch. */
  cancel(queryId: string): Promise<number>;
}
