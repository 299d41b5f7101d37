/** What the console shows about the system, as seen by the orchestrator that this backend runs in. */

export interface ConsoleWorker {
  /** host:port */
  address: string;
  /** One of: connecting, ready, draining, lost. */
  state: string;
  /** The worker's last status report; null before the first. */
  status: {
    version: string;
    engine: string;
    threads: number;
    tasksRunning: number;
    tasksQueued: number;
    uptimeMs: number;
    draining: boolean;
    counters: Record<string, number>;
    gauges: Record<string, number>;
  } | null;
}

export interface ConsoleQuery {
  queryId: string;
  user: string;
  /** Possibly truncated; the orchestrator sends at most 4000 bytes. */
  sql: string;
  /** Whether this is the column finding of a query. */
  findsColumns: boolean;
  /** Milliseconds since the epoch. */
  startedMs: number;
  progress: {
    tracesTotal: number;
    /** Whether all patterns have been expanded. */
    totalIsFinal: boolean;
    tracesDone: number;
    tracesFailed: number;
    rows: number;
    resultBytes: number;
    traceBytes: number;
    elapsedMs: number;
    /** The traces that have been assigned to workers for longest. */
    running?: ConsoleTrace[];
  } | null;
}

export interface ConsoleTrace {
  trace: string;
  /** One of: QUEUED, READING, PARSING, RUNNING_SQL. */
  phase: string;
  /** Milliseconds in this phase. */
  phaseMs: number;
  totalMs: number;
  worker: string;
}

export interface SystemState {
  /** Traces of all queries that wait for a worker. */
  tracesWaiting: number;
  tracesInFlight: number;
  counters: Record<string, number>;
  workers: ConsoleWorker[];
  /** Running queries. */
  queries: ConsoleQuery[];
}

/** The response of /api/state. */
export interface ConsoleState extends SystemState {
  version: string;
  /** URL as users reach it. */
  clickhouseUrl: string;
  supersetUrl?: string;
}

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
  state(): SystemState;
  /** The failures that the orchestrator remembers, newest query first. */
  recentFailures(): Iterable<ConsoleFailure>;
  /** Cancels all queries with this ID. @returns the number of cancelled queries */
  cancel(queryId: string): number;
}
