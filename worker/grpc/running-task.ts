/** One assigned trace of a `Run` stream, from its assignment to its end. */
import type { TaskPhase } from '../../lib/proto/messages.ts';

export class RunningTask {
  readonly trace: Buffer;
  readonly abort = new AbortController();
  /** Once it is begun it is not given back. */
  begun = false;
  /** When it was assigned, or begun; since the epoch. */
  fromMs = Date.now();
  #phase: TaskPhase = 'QUEUED';
  readonly #assignedAt = performance.now();
  #phaseFrom = this.#assignedAt;
  /** Time on a thread before the one it is on. */
  #threadMsBefore = 0;
  #threadFrom: number | undefined;

  constructor(trace: Buffer) {
    this.trace = trace;
  }

  get phase(): TaskPhase {
    return this.#phase;
  }

  get phaseMs(): number {
    return Math.round(performance.now() - this.#phaseFrom);
  }

  get totalMs(): number {
    return Math.round(performance.now() - this.#assignedAt);
  }

  get threadMs(): number {
    const now = this.#threadFrom === undefined ? 0 : performance.now() - this.#threadFrom;
    return Math.round(this.#threadMsBefore + now);
  }

  begin(): void {
    this.begun = true;
    this.fromMs = Date.now();
  }

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
