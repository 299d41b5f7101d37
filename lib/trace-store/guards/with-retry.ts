/**
 * Asks a store again where it failed in a way that may pass (store_failed): a read that was cut goes on
 * at the byte where it was, of the same generation, so it can neither skip nor repeat any.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { asBigtraceError, type BigtraceError } from '../../common/errors.ts';
import { aborted, throwIfAborted } from '../failures.ts';
import type { TraceStore } from '../trace-store.ts';

export interface RetryOptions {
  /** Failures in a row, after which the last one is the answer. */
  attemptsMax: number;
  /** The first pause is up to this long, and each one up to twice the one before. */
  pauseMs?: number;
  onRetry?: (failure: BigtraceError) => void;
}

const PAUSE_MS = 200;
const PAUSE_MS_MAX = 10_000;
/** A read that came so much further has not failed "in a row"; it bounds retries by the trace's size. */
const PROGRESS_BYTES = 1 << 20;

export function withRetry(store: TraceStore, options: RetryOptions): TraceStore {
  async function retried<Value>(
    ask: () => Promise<Value>,
    signal: AbortSignal | undefined,
  ): Promise<Value> {
    for (const failures = new Failures(options); ; ) {
      try {
        return await ask();
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

  /** Pauses before the next attempt; throws where there is none. */
  async add(thrown: unknown, signal: AbortSignal | undefined): Promise<void> {
    const failure = asBigtraceError(thrown);
    const { attemptsMax, pauseMs = PAUSE_MS, onRetry } = this.#options;
    throwIfAborted(signal);
    if (failure.code !== 'store_failed' || ++this.#inARow >= attemptsMax) throw failure;
    onRetry?.(failure);
    const longestMs = Math.min(PAUSE_MS_MAX, pauseMs * 2 ** (this.#inARow - 1));
    try {
      // Anywhere up to the longest: many readers that failed together do not come back together.
      await delay(Math.random() * longestMs, undefined, { signal });
    } catch (thrownByDelay) {
      throw signal === undefined ? thrownByDelay : aborted(signal);
    }
  }
}
