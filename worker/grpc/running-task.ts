/** Tracks one assigned task of a `Run` stream, from its assignment to its end. */
import type { TaskPhase } from '../../lib/proto/messages.ts';

export class RunningTask {
  readonly trace: Buffer;
  readonly abort = new AbortController();
  /** Whether work has begun; then the task can no longer be withdrawn. */
  begun = false;
  /** When it was assigned, or work began, in milliseconds since the epoch. */
  fromMs = Date.now();
  #phase: TaskPhase = 'QUEUED';
  readonly #assignedAt = performance.now();
  #phaseFrom = this.#assignedAt;
  /** Milliseconds that earlier threads worked on it. */
  #threadMsBefore = 0;
  #threadFrom: number | undefined;

  constructor(trace: Buffer) {
    this.trace = trace;
  }

  get phase(): TaskPhase {
    return this.#phase;
  }

  /** Milliseconds in the current phase. */
  get phaseMs(): number {
    return Math.round(performance.now() - this.#phaseFrom);
  }

  /** Milliseconds since the assignment. */
  get totalMs(): number {
    return Math.round(performance.now() - this.#assignedAt);
  }

  /** Milliseconds on threads, in all. */
  get threadMs(): number {
    const now = this.#threadFrom === undefined ? 0 : performance.now() - this.#threadFrom;
    return Math.round(this.#threadMsBefore + now);
  }

  begin(): void {
    this.begun = true;
    this.fromMs = Date.now();
  }

  /** Enters a phase; in every phase but QUEUED the task occupies a thread. */
  enter(phase: TaskPhase): void {
    if (phase === this.#phase) return;
    const now = performance.now();
    if (phase === 'QUEUED') {
      this.#threadMsBefore += now - (this.#threadFrom ?? now);
      this.#threadFrom = undefined;
    } else this.#threadFrom ??= now;
    this.#phase = phase;
    this.#phaseFrom = now;
  }
}
