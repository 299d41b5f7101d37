/** Lets tasks wait until something happens to the trace of a key, for a time, or until they are cancelled. */
export class KeyWaiters {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Resolves at the next `wake` of the key, after `ms` milliseconds, or when the signal is aborted. */
  changed(key: string, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        if (waiting.size === 0) this.#waiting.delete(key);
        resolve();
      };
      const timer = Number.isFinite(ms) ? setTimeout(done, ms) : undefined;
      signal.addEventListener('abort', done, { once: true });
      waiting.add(done);
    });
  }

  wake(key: string | undefined): void {
    if (key === undefined) return;
    for (const notify of this.#waiting.get(key) ?? []) notify();
  }
}
