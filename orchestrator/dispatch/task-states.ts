/** The task states that a worker last reported on one stream. */
import type { TaskPhase, TaskState } from '../../lib/proto/messages.ts';

/** Workers report once a second; a worker that misses three reports in a row is silent. */
export const SILENT_MS = 3000;

export interface ReportedState {
  phase: TaskPhase;
  /** When the phase began, in ms of performance.now(). */
  since: number;
  /** Time that the task has used an engine thread, in ms. */
  threadMs: number;
}

export class TaskStates {
  #states = new Map<number, ReportedState>();
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** Replaces the known states: a report names every task that the worker has had for at least a second. */
  report(states: readonly TaskState[], now: number): void {
    this.#reportedAt = now;
    this.#states = new Map(
      states.map(({ id, phase, phaseMs, threadMs }) => [
        id,
        { phase, since: now - phaseMs, threadMs },
      ]),
    );
  }

  /** Returns undefined when the worker has not reported the task, or has been silent for SILENT_MS. */
  current(id: number, now: number): ReportedState | undefined {
    return now - this.#reportedAt <= SILENT_MS ? this.#states.get(id) : undefined;
  }

  /** Whether the last report said that the task was being read, parsed or run. */
  hadBegun(id: number): boolean {
    const phase = this.#states.get(id)?.phase;
    return phase !== undefined && phase !== 'QUEUED';
  }

  /** Returns the last reported engine-thread time of the task, in ms; 0 when none was reported. */
  threadMs(id: number): number {
    return this.#states.get(id)?.threadMs ?? 0;
  }

  /** Restarts the silence timeout: reports could not arrive while the orchestrator paused reading. */
  resumed(now: number): void {
    if (this.#states.size > 0) this.#reportedAt = Math.max(this.#reportedAt, now);
  }

  /** Returns the states of the last report by task id. */
  all(): IterableIterator<[number, ReportedState]> {
    return this.#states.entries();
  }

  clear(): void {
    this.#states.clear();
  }
}
