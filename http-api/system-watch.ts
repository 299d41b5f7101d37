/** What the console shows of the system, as the orchestrator that the backend is a part of sees it. */

export interface ConsoleWorker {
  /** host:port */
  address: string;
  /** connecting, ready, draining, lost */
  state: string;
  /** What it said last; null before it has said anything. */
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
  /** Its beginning, where it is long. */
  sql: string;
  /** Whether it is the search for its columns, over a few of its traces. */
  findsColumns: boolean;
  /** Since the epoch. */
  startedMs: number;
  progress: {
    tracesTotal: number;
    /** Whether all patterns are expanded. */
    totalIsFinal: boolean;
    tracesDone: number;
    tracesFailed: number;
    rows: number;
    resultBytes: number;
    traceBytes: number;
    elapsedMs: number;
    /** The traces that have been with workers for longest. */
    running?: ConsoleTrace[];
  } | null;
}

export interface ConsoleTrace {
  trace: string;
  /** QUEUED, READING, PARSING, RUNNING_SQL */
  phase: string;
  /** Time in this phase. */
  phaseMs: number;
  totalMs: number;
  worker: string;
}

export interface SystemState {
  /** Of all queries: traces that wait for a worker, and those that are with one. */
  tracesWaiting: number;
  tracesInFlight: number;
  counters: Record<string, number>;
  workers: ConsoleWorker[];
  /** Those that run. */
  queries: ConsoleQuery[];
}

/** The answer of /api/state. */
export interface ConsoleState extends SystemState {
  version: string;
  /** As users reach it. */
  clickhouseUrl: string;
  supersetUrl?: string;
}

export interface ConsoleFailure {
  queryId: string;
  /** Empty where the query failed as a whole. */
  trace: string;
  /** lib/common/errors.ts */
  code: string;
  message: string;
  /** Since the epoch. */
  timeMs: number;
}

export interface SystemWatch {
  state(): SystemState;
  /** Those that are remembered, the newest query first. */
  recentFailures(): Iterable<ConsoleFailure>;
  /** Ends the queries of that id. @returns how many there were */
  cancel(queryId: string): number;
}
