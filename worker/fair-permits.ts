/**
 * A number of permits, handed out round robin over who asks: one who waits for a single permit is not
 * behind all the others' thousands.
 */
export type Release = () => void;

interface Waiter {
  grant: (release: Release) => void;
}

export class FairPermits {
  readonly total: number;
  #free: number;
  /** Who waits, in the order of their next turn. */
  readonly #queues = new Map<unknown, Set<Waiter>>();
  #waiting = 0;

  constructor(total: number) {
    this.total = total;
    this.#free = total;
  }

  get taken(): number {
    return this.total - this.#free;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** @throws the signal's reason. */
  acquire(asker: unknown, signal: AbortSignal): Promise<Release> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#free > 0) return resolve(this.#take());
      const onAbort = (): void => {
        this.#remove(asker, waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        grant: (release) => {
          signal.removeEventListener('abort', onAbort);
          resolve(release);
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const queue = this.#queues.get(asker);
      if (queue === undefined) this.#queues.set(asker, new Set([waiter]));
      else queue.add(waiter);
      this.#waiting++;
    });
  }

  #take(): Release {
    this.#free--;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#free++;
      this.#next();
    };
  }

  #remove(asker: unknown, waiter: Waiter): void {
    const queue = this.#queues.get(asker);
    if (queue?.delete(waiter) !== true) return;
    this.#waiting--;
    if (queue.size === 0) this.#queues.delete(asker);
  }

  #next(): void {
    for (const [asker, queue] of this.#queues) {
      for (const waiter of queue) {
        this.#remove(asker, waiter);
        if (this.#queues.delete(asker)) this.#queues.set(asker, queue); // to the end of the round
        waiter.grant(this.#take());
        return;
      }
    }
  }
}
