/** When a worker that has nothing to do should take a trace from one that has too much. */
import { SILENT_MS } from './task-states.ts';

export interface Victim {
  /** Open traces there: running, assigned and waiting. */
  open: number;
  /** Traces it runs at a time. */
  threads: number;
  /** What one trace takes there. */
  taskMs: number;
}

/**
 * A trace placed by affinity is perhaps loaded where it waits, and would have to be loaded again by the
 * thief. So it pays when waiting and running there takes longer than loading here; where the victim
 * itself is loading (its `taskMs` is about `coldMs`), any waiting does.
 */
export function stealPays({ open, threads, taskMs }: Victim, coldMs: number): boolean {
  const rounds = Math.floor((open - 1) / Math.max(threads, 1));
  return rounds > 0 && (rounds + 1) * taskMs > coldMs;
}

/** It must take so many times as long as loading and asking a trace does elsewhere. */
const HEDGE_FACTOR = 5;

/**
 * Whether a trace has been with a silent worker for so long that another, idle worker should try it too.
 * @param afterMs never before; 0: never at all
 */
export function hedgePays(ageMs: number, coldMs: number, afterMs: number): boolean {
  return afterMs > 0 && ageMs > Math.max(afterMs, SILENT_MS, HEDGE_FACTOR * coldMs);
}

/** Mean that forgets: the last ten or so count. */
export class Mean {
  #value: number | undefined;

  add(sample: number): void {
    this.#value = this.#value === undefined ? sample : this.#value * 0.9 + sample * 0.1;
  }

  or(fallback: number): number {
    return this.#value ?? fallback;
  }
}
