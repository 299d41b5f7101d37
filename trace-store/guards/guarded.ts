/** What every store over a network gets around it. */
import type { RequestOptions } from '../options.ts';
import type { TraceStore } from '../trace-store.ts';
import { withConcurrency } from './with-concurrency.ts';
import type { StoreCounters } from './with-counters.ts';
import { withRetry } from './with-retry.ts';
import { withTimeout } from './with-timeout.ts';

/** From the inside out: each attempt has its own time, and all attempts of a read one permit. */
export function guarded(
  store: TraceStore,
  { timeoutMs, attemptsMax, concurrencyMax }: RequestOptions,
  counters: StoreCounters,
): TraceStore {
  const onRetry = (): void => {
    counters.retries++;
  };
  return withConcurrency(
    withRetry(withTimeout(store, timeoutMs), { attemptsMax, onRetry }),
    concurrencyMax,
  );
}
