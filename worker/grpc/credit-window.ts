/**
 * Limits how many tasks of one query a worker holds, by the tasks' cost. Cheap tasks are dominated by the round
 * trip, so there must be many; of expensive tasks a few are enough, and the others can go to other workers.
 */

/** Tasks that a query may assign at first, for each thread; expensive ones can be withdrawn. */
const FIRST_CREDITS_PER_THREAD = 8;
/** A running task and the next one, for each thread. */
const CREDITS_MIN_PER_THREAD = 2;
/** Enough that ten thousand cheap results per second never wait for the next assignment. */
const SIZE_MAX = 1024;

/** In milliseconds: a task that waited for less shows that the worker could have held more. */
const SHORT_WAIT_MS = 20;
/** In milliseconds: a task that waited for longer shows that the worker holds too many. */
const LONG_WAIT_MS = 100;

/** Number of tasks that a query may assign before it receives credits. */
export function firstCredits(threads: number): number {
  return Math.min(FIRST_CREDITS_PER_THREAD * threads, SIZE_MAX);
}

export class CreditWindow {
  readonly #min: number;
  #size: number;
  /** Tasks here, and credits given that were not used yet. */
  #taken = 0;

  constructor(threads: number) {
    this.#min = Math.min(CREDITS_MIN_PER_THREAD * threads, SIZE_MAX);
    this.#size = firstCredits(threads);
  }

  get size(): number {
    return this.#size;
  }

  /** Adjusts the window to a task that began after `waitedMs` milliseconds of waiting. */
  began(waitedMs: number): void {
    if (waitedMs < SHORT_WAIT_MS) this.#size = Math.min(this.#size + 1, SIZE_MAX);
    else if (waitedMs > LONG_WAIT_MS) this.#size = Math.max(this.#size - 1, this.#min);
  }

  /** Frees the place of a task that ended or was given back. */
  ended(): void {
    this.#taken--;
  }

  /** Returns the credits to send now, at most `max`; they count as taken. */
  give(max = Number.POSITIVE_INFINITY): number {
    const credits = Math.min(Math.max(this.#size - this.#taken, 0), max);
    this.#taken += credits;
    return credits;
  }
}
