/** Lets long work on the event loop yield to other work: health checks, other queries, the end of its own query. */
import { setImmediate } from 'node:timers/promises';

/** The longest time without a yield. */
const TURN_MS = 20;

export class Turns {
  #since = performance.now();

  /** To be called between two steps of the work. Yields to the event loop if the last yield was TURN_MS ago. */
  async next(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return;
    await setImmediate();
    this.#since = performance.now();
  }
}
