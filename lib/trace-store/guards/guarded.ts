/** What every store over a network gets around it. */
import type { RequestOptions } from '../options.ts';
import type { TraceStore } from '../trace-store.ts';
import type { StoreCounters } from './with-counters.ts';
import { withRetry } from './with-retry.ts';
import { withTimeout } from './with-timeout.ts';

/** Each attempt has its own time. The bound of requests at once is kept by whoever asks the store. */
export function guarded(
  store: TraceStore,
  { timeoutMs, attemptsMax, concurrencyMax }: RequestOptions,
  counters: StoreCounters,
): TraceStore {
  const onRetry = (): void => {
    counters.retries++;
  };
  return {
    ...withRetry(withTimeout(store, timeoutMs), { attemptsMax, onRetry }),
    requestsMax: concurrencyMax,
  };
}
