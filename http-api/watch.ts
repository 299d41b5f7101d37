/** Interface of the orchestrator that the HTTP backend uses. */

export interface QueryCounts {
  tracesDone: number;
  tracesFailed: number;
  tracesTotal: number;
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
  /** Progress of a query that is running or has ended recently; undefined if another orchestrator ran it. */
  counts(queryId: string): QueryCounts | undefined;
  /** The first `limit` distinct error messages of the query and its failed traces. */
  failures(queryId: string, limit: number): string[];
  cancel(queryId: string): void;
  /** @throws trace_not_found, and errors of workers and stores */
  openTrace(address: string, signal: AbortSignal): Promise<OpenTrace>;
}
