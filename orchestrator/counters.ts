/** Counts since start, over all queries. */
export interface Counters {
  /** Traces that answered. */
  traces: number;
  tracesFailed: number;
  /** Traces asked again after a failure. */
  retries: number;
  /** Traces that another worker took than they were placed on. */
  steals: number;
  /** Streams to workers that broke. */
  streamsBroken: number;
  rows: number;
  resultBytes: number;
}

export function newCounters(): Counters {
  return {
    traces: 0,
    tracesFailed: 0,
    retries: 0,
    steals: 0,
    streamsBroken: 0,
    rows: 0,
    resultBytes: 0,
  };
}
