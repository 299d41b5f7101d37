/** What the backend has to know from the orchestrator that it is a part of. */

export interface QueryCounts {
  tracesDone: number;
  tracesFailed: number;
  tracesTotal: number;
}

export interface QueryWatch {
  /** Of a query that runs, or ended of late; undefined where another orchestrator has it. */
  counts(queryId: string): QueryCounts | undefined;
  /** Messages of traces that failed, the first ones. */
  failures(queryId: string, limit: number): string[];
  cancel(queryId: string): void;
}
