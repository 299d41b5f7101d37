/** A running process of the system, independent of how it was started. */

import type { Ping } from './liveness.ts';

export interface Exit {
  /** Such as `exit code 1` or `killed by SIGKILL`. */
  reason: string;
  /** The last lines of its stderr. */
  lastLines: string[];
}

export interface RunningService<T> {
  pid: number;
  /** Address that it listens on. A restart uses the same one. */
  address: T;
  exited: Promise<Exit>;
  /** A process that does not answer is killed and restarted. */
  ping: Ping;
  /** Stops it gracefully, and kills it if that takes too long. Resolves when it has ended. */
  stop(): Promise<void>;
  /** Kills it. */
  kill(): void;
}

export function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}
