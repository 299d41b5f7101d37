/**
 * Retries store requests that failed with store_failed. An interrupted read resumes at the next byte of the same
 * generation, so that it neither skips nor repeats bytes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { asBigtraceError, type BigtraceError } from '../../common/errors.ts';
import { aborted, throwIfAborted } from '../failures.ts';
import type { TraceStore } from '../trace-store.ts';

export interface RetryOptions {
  /** The number of consecutive failures after which the last one is thrown. */
  attemptsMax: number;
  /** Upper bound of the first delay, in ms; it doubles with each failure, up to 10 s. Default: 200. */
  pauseMs?: number;
  onRetry?: (failure: BigtraceError) => void;
}

const PAUSE_MS = 200;
const PAUSE_MS_MAX = 10_000;
/** A read that received this many bytes since the last failure counts its failures from 0 again. */
const PROGRESS_BYTES = 1 << 20;

export function withRetry(store: TraceStore, options: RetryOptions): TraceStore {
  async function retried<Value>(
    request: () => Promise<Value>,
    signal: AbortSignal | undefined,
  ): Promise<Value> {
    for (const failures = new Failures(options); ; ) {
      try {
        return await request();
      } catch (thrown) {
        await failures.add(thrown, signal);
      }
    }
  }
  return {
    ...store,
    stat: (path, signal) => retried(() => store.stat(path, signal), signal),
    canonical: async (path, signal) =>
      retried(async () => (await store.canonical?.(path, signal)) ?? path, signal),

    async *read(path, readOptions) {
      let at = readOptions.start ?? 0;
      let goal = at + PROGRESS_BYTES;
      for (const failures = new Failures(options); ; ) {
        try {
          for await (const chunk of store.read(path, { ...readOptions, start: at })) {
            at += chunk.length;
            yield chunk;
          }
          return;
        } catch (thrown) {
          if (at >= goal) failures.forget();
          goal = at + PROGRESS_BYTES;
          await failures.add(thrown, readOptions.signal);
        }
      }
    },

    async *list(pattern, listOptions = {}) {
      let { after } = listOptions;
      for (const failures = new Failures(options); ; ) {
        try {
          for await (const batch of store.list(pattern, { ...listOptions, after })) {
            const last = batch.at(-1);
            if (last !== undefined) {
              after = last.path;
              failures.forget();
            }
            yield batch;
          }
          return;
        } catch (thrown) {
          await failures.add(thrown, listOptions.signal);
        }
      }
    },
  };
}

class Failures {
  readonly #options: RetryOptions;
  #inARow = 0;

  constructor(options: RetryOptions) {
    this.#options = options;
  }

  forget(): void {
    this.#inARow = 0;
  }

  /**
   * Counts a failure and waits before the next attempt.
   * @throws the failure if no attempt is left or a retry cannot help; the abort error if the signal aborts
   */
  async add(thrown: unknown, signal: AbortSignal | undefined): Promise<void> {
    const failure = asBigtraceError(thrown);
    const { attemptsMax, pauseMs = PAUSE_MS, onRetry } = this.#options;
    throwIfAborted(signal);
    if (failure.code !== 'store_failed' || ++this.#inARow >= attemptsMax) throw failure;
    onRetry?.(failure);
    const longestMs = Math.min(PAUSE_MS_MAX, pauseMs * 2 ** (this.#inARow - 1));
    try {
      // The delay is random so that readers that failed at the same time do not retry at the same time.
      await delay(Math.random() * longestMs, undefined, { signal });
    } catch (thrownByDelay) {
      throw signal === undefined ? thrownByDelay : aborted(signal);
    }
  }
}
