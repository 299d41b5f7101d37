/** What the backend gets from the orchestrator that it is a part of. */

export interface QueryCounts {
  tracesDone: number;
  tracesFailed: number;
  tracesTotal: number;
}

export interface OpenTrace {
  /** Bytes; 0 where the store does not say. */
  size: number;
  /** Changes whenever the bytes do. */
  generation: string;
  /** @param length 0: up to the end */
  read(offset: number, length: number): AsyncIterable<Buffer>;
}

export interface QueryWatch {
  /** Of a query that runs, or ended of late; undefined where another orchestrator has it. */
  counts(queryId: string): QueryCounts | undefined;
  /** Messages of traces that failed, the first ones. */
  failures(queryId: string, limit: number): string[];
  cancel(queryId: string): void;
  /** @throws trace_not_found, and what workers and stores say */
  openTrace(address: string, signal: AbortSignal): Promise<OpenTrace>;
}
