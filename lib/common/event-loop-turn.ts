/** Long work on the event loop gives others a turn: health checks, other queries, the end of this one. */
import { setImmediate } from 'node:timers/promises';

const TURN_MS = 20;

export class Turns {
  #since = performance.now();

  /** Between two steps of the work: waits for the others where they have waited long enough. */
  async next(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return;
    await setImmediate();
    this.#since = performance.now();
  }
}
