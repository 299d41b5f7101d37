/** What a worker last said of the tasks of one stream. */
import type { TaskPhase, TaskState } from '../../lib/proto/messages.ts';

/** Workers say it once a second; one that misses three in a row is silent. */
export const SILENT_MS = 3000;

export interface KnownState {
  phase: TaskPhase;
  /** When the phase began, by performance.now(). */
  since: number;
  /** Time on the worker's thread. */
  threadMs: number;
}

export class TaskStates {
  #states = new Map<number, KnownState>();
  #heardAt = Number.NEGATIVE_INFINITY;

  /** A message names every task that has been with the worker for a while: it replaces the one before. */
  heard(states: readonly TaskState[], now: number): void {
    this.#heardAt = now;
    this.#states = new Map(
      states.map(({ id, phase, phaseMs, threadMs }) => [
        id,
        { phase, since: now - phaseMs, threadMs },
      ]),
    );
  }

  /** Undefined where the worker has not named the task, or has been silent since. */
  current(id: number, now: number): KnownState | undefined {
    return now - this.#heardAt <= SILENT_MS ? this.#states.get(id) : undefined;
  }

  /** Time that the task is known to have spent on a thread. */
  threadMs(id: number): number {
    return this.#states.get(id)?.threadMs ?? 0;
  }

  /** What was held back while the reader paused is not silence. */
  resumed(now: number): void {
    if (this.#states.size > 0) this.#heardAt = Math.max(this.#heardAt, now);
  }

  /** What the worker has named, by the task's id. */
  all(): IterableIterator<[number, KnownState]> {
    return this.#states.entries();
  }

  clear(): void {
    this.#states.clear();
  }
}
