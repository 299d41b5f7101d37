/**
 * How many traces of one query a worker has with it, at most. It follows what the traces cost: with
 * cheap ones the way there and back is what takes the time, so there must be many; of dear ones a few
 * suffice, and the others are free to go elsewhere.
 */

/** At first a query may have so many traces a thread here: those that turn out to be dear can be withdrawn. */
const FIRST_A_THREAD = 8;
/** One that is worked on, and one to go on with. */
const MIN_A_THREAD = 2;
/** Many enough that ten thousand cheap answers a second never wait for the next assignment. */
const SIZE_MAX = 1024;

/** A trace that waited for less shows that the worker could have had more of them. */
const SHORT_WAIT_MS = 20;
const LONG_WAIT_MS = 100;

/** What a query may count on before it was told anything. */
export function firstCredits(threads: number): number {
  return Math.min(FIRST_A_THREAD * threads, SIZE_MAX);
}

export class CreditWindow {
  readonly #min: number;
  #size: number;
  /** Traces here, and credits given for which none has come. */
  #taken = 0;

  constructor(threads: number) {
    this.#min = Math.min(MIN_A_THREAD * threads, SIZE_MAX);
    this.#size = firstCredits(threads);
  }

  get size(): number {
    return this.#size;
  }

  /** A trace was begun that had waited so long. */
  began(waitedMs: number): void {
    if (waitedMs < SHORT_WAIT_MS) this.#size = Math.min(this.#size + 1, SIZE_MAX);
    else if (waitedMs > LONG_WAIT_MS) this.#size = Math.max(this.#size - 1, this.#min);
  }

  /** A trace ended or was given back. */
  ended(): void {
    this.#taken--;
  }

  /** The credits to give now, `max` at most; they count as taken. */
  give(max = Number.POSITIVE_INFINITY): number {
    const credits = Math.min(Math.max(this.#size - this.#taken, 0), max);
    this.#taken += credits;
    return credits;
  }
}
