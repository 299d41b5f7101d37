/** What the console shows about the system, as seen by the orchestrator that this backend runs in. */
import type { SystemState } from './contract/console.ts';

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
