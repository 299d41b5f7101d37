/** Bounds how much is asked of a store at the same time. */
import { aborted } from '../failures.ts';
import type { TraceStore } from '../trace-store.ts';

/** Listing is not counted: who lists may read what was listed before the list ends. */
export function withConcurrency(store: TraceStore, concurrencyMax: number): TraceStore {
  const permits = new Permits(concurrencyMax);
  return {
    ...store,
    async stat(path, signal) {
      await permits.take(signal);
      try {
        return await store.stat(path, signal);
      } finally {
        permits.giveBack();
      }
    },
    async *read(path, options) {
      await permits.take(options.signal);
      try {
        yield* store.read(path, options);
      } finally {
        permits.giveBack();
      }
    },
  };
}

/** A counting semaphore, first come first served. */
class Permits {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw aborted(signal);
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const stop = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        if (signal !== undefined) reject(aborted(signal));
      };
      this.#waiting.push(go);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
