/**
 * How many traces of one query a worker has with it, at most. It follows what the traces cost: with
 * cheap ones the way there and back is what takes the time, so there must be many; of dear ones a few
 * suffice, and the others are free to go elsewhere.
 */

/** A trace that waited for less shows that the worker could have had more of them. */
const SHORT_WAIT_MS = 20;
const LONG_WAIT_MS = 100;

export class CreditWindow {
  readonly #min: number;
  readonly #max: number;
  #size: number;
  /** Traces here, and credits given for which none has come. */
  #taken = 0;

  constructor(min: number, max: number) {
    this.#min = min;
    this.#max = max;
    this.#size = min;
  }

  get size(): number {
    return this.#size;
  }

  /** A trace was begun that had waited so long. */
  began(waitedMs: number): void {
    if (waitedMs < SHORT_WAIT_MS) this.#size = Math.min(this.#size + 1, this.#max);
    else if (waitedMs > LONG_WAIT_MS) this.#size = Math.max(this.#size - 1, this.#min);
  }

  /** A trace ended or was given back. */
  ended(): void {
    this.#taken--;
  }

  /** The credits to give now; they count as taken. */
  give(): number {
    const credits = Math.max(this.#size - this.#taken, 0);
    this.#taken += credits;
    return credits;
  }
}
