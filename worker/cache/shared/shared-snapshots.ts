/**
 * Fetches the snapshots that other workers shared, and shares those of this worker. Snapshots have digests and the
 * engine's identity, which are checked when one is restored. Failures cost time, never a result.
 */
import type { Logger } from '../../../lib/common/observability/log.ts';
import type { WorkerCounters } from '../../counters.ts';
import { PiecesFailed } from '../cache-directory.ts';
import type { SharedStore } from './shared-store.ts';

export interface SharedSnapshotsParts {
  store: SharedStore;
  /** Whether this worker shares its own snapshots. */
  writes: boolean;
  counters: WorkerCounters;
  logger: Logger;
}

/** Writes the pieces of a fetched file. Resolves to whether they were kept. */
type Keep = (pieces: AsyncIterable<Uint8Array>) => Promise<boolean>;

const FETCHES_MAX = 8;
/** Snapshots that wait to be shared; further ones are not shared now. */
const WAITING_MAX = 64;
/** After a failure, the store is left alone for this time. */
const RETRY_MS = 30_000;
/** Bound of a whole transfer. */
const TRANSFER_MS_MAX = 300_000;

export class SharedSnapshots {
  readonly #parts: SharedSnapshotsParts;
  readonly #fetches = new Map<string, Promise<boolean>>();
  #sharing: Promise<void> = Promise.resolve();
  #waiting = 0;
  /** Time (performance.now()) from which the store is used again. */
  #usableFrom = 0;
  readonly #closed = new AbortController();

  constructor(parts: SharedSnapshotsParts) {
    this.#parts = parts;
  }

  /**
   * Fetches a file, unless it is being fetched; then that is awaited. Resolves to whether it was kept, or to false as soon as
   * `signal` is aborted: others may wait for the file, too. Never rejects.
   */
  async fetch(name: string, keep: Keep, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      const running = this.#fetches.get(name);
      if (running !== undefined) return untilAborted(running, signal);
      if (performance.now() < this.#usableFrom || signal.aborted) return false;
      if (this.#fetches.size < FETCHES_MAX) break;
      await untilAborted(Promise.race(this.#fetches.values()), signal);
    }
    const fetched = this.#fetch(name, keep).finally(() => this.#fetches.delete(name));
    this.#fetches.set(name, fetched);
    return untilAborted(fetched, signal);
  }

  async #fetch(name: string, keep: Keep): Promise<boolean> {
    const signal = this.#signal();
    try {
      const pieces = await this.#parts.store.read(name, signal);
      if (pieces === undefined || !(await keep(this.#watched(pieces)))) return false;
      this.#parts.counters.add('snapshots_fetched');
      return true;
    } catch (error) {
      this.#recordFailure(error);
      return false;
    }
  }

  /** Reports a failure of the store itself: to the writer of the pieces it is none of its directory. */
  async *#watched(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* pieces;
    } catch (error) {
      this.#recordFailure(error);
      throw new PiecesFailed('a shared snapshot could not be read', { cause: error });
    }
  }

  /** Whether this worker shares its own snapshots. */
  get writes(): boolean {
    return this.#parts.writes;
  }

  /** Shares the file at `path`, later: one file at a time. @param replace whether the shared one is damaged */
  offer(name: string, path: string, replace: boolean): void {
    if (!this.#parts.writes || this.#waiting >= WAITING_MAX) return;
    this.#waiting += 1;
    this.#sharing = this.#sharing.then(async () => {
      this.#waiting -= 1;
      if (!this.#closed.signal.aborted && performance.now() >= this.#usableFrom)
        await this.#share(name, path, replace);
    });
  }

  async #share(name: string, path: string, replace: boolean): Promise<void> {
    try {
      await this.#parts.store.write(name, path, { replace, signal: this.#signal() });
      this.#parts.counters.add('snapshots_shared');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#recordFailure(error); // it was removed
    }
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#closed.signal, AbortSignal.timeout(TRANSFER_MS_MAX)]);
  }

  #recordFailure(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    const { counters, logger } = this.#parts;
    counters.add('shared_snapshots_failed');
    if (performance.now() >= this.#usableFrom)
      logger.warn({ err: error }, 'the store of shared snapshots fails; it is left alone for 30 s');
    this.#usableFrom = performance.now() + RETRY_MS;
  }

  /** Ends all transfers. */
  close(): void {
    this.#closed.abort(new Error('the worker stops'));
    this.#parts.store.close();
  }
}

/** Resolves as the promise does, or to false as soon as the signal is aborted. */
function untilAborted(promise: Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(false);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
