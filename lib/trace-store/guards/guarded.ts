/** Adds timeouts, retries and a request limit to a store that is read over a network. */
import type { RequestOptions } from '../options.ts';
import type { TraceStore } from '../trace-store.ts';
import type { StoreCounters } from './with-counters.ts';
import { withRetry } from './with-retry.ts';
import { withTimeout } from './with-timeout.ts';

/** The timeout applies to each attempt. `requestsMax` is only declared here; the caller enforces it. */
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
