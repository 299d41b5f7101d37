/** Decides when an idle worker should steal a task from a busy one, or hedge it; pure. */
import { SILENT_MS } from './task-states.ts';

export interface Victim {
  /** Tasks queued for or assigned to the worker. */
  open: number;
  /** Number of engine threads of the worker. */
  threads: number;
  /** Mean time of one task on the worker, in ms. */
  taskMs: number;
}

/**
 * Returns whether stealing the last queued task of `victim` pays. Its trace may be loaded on the victim already, and
 * the thief would have to load it. So it pays when waiting and running on the victim takes longer than `coldMs`, the
 * time to load a trace. When the victim loads each trace too (`taskMs` is about `coldMs`), any waiting is longer.
 */
export function stealPays({ open, threads, taskMs }: Victim, coldMs: number): boolean {
  const rounds = Math.floor((open - 1) / Math.max(threads, 1));
  return rounds > 0 && (rounds + 1) * taskMs > coldMs;
}

/** A task is hedged only when it takes longer than this many loads. */
const HEDGE_FACTOR = 5;

/**
 * Returns whether a task has been assigned to a silent worker for so long that it should be hedged.
 * @param afterMs minimum age of a task that is hedged; 0: never
 */
export function hedgePays(ageMs: number, coldMs: number, afterMs: number): boolean {
  return afterMs > 0 && ageMs > Math.max(afterMs, SILENT_MS, HEDGE_FACTOR * coldMs);
}

/** An exponentially weighted mean: each sample has a weight of one tenth. */
export class Mean {
  #value: number | undefined;

  add(sample: number): void {
    this.#value = this.#value === undefined ? sample : this.#value * 0.9 + sample * 0.1;
  }

  or(fallback: number): number {
    return this.#value ?? fallback;
  }
}
