/** A started process of the system, however it was started. */

import type { Ping } from './liveness.ts';

export interface Exit {
  /** `exit code 1`, `killed by SIGKILL`. */
  how: string;
  /** The last it said on stderr. */
  lastLines: string[];
}

export interface RunningService<T> {
  pid: number;
  /** Where it listens; a restart listens there again. */
  address: T;
  exited: Promise<Exit>;
  /** One that does not answer is ended and started again. */
  ping: Ping;
  /** Ends it in order; resolves when it is gone, however that had to be brought about. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

export function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}
