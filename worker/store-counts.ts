/** Reports the counters of a worker's stores for `Status` and the metrics, named `store_<store>_<counter>`. */
import type { StoreCounters, TraceStores } from '../lib/trace-store/index.ts';

/** Names and descriptions of the counters; the names are part of the public interface. */
export const STORE_COUNTS = {
  store_stats: 'requests for the size and generation of one trace',
  store_reads: 'reads of a trace, whole or from an offset',
  store_lists: 'listings of a pattern or prefix',
  store_failures:
    'requests, reads and listings that failed or were refused; a missing trace is not a failure',
  store_retries: 'requests that were repeated after a failure',
  store_read_bytes: 'bytes read',
  store_listed_traces: 'traces listed',
  store_in_flight: 'requests, reads and listings in progress',
} as const;

/** Cumulative counters; `inFlight` is a gauge. */
type Counted = Exclude<keyof StoreCounters, 'inFlight'>;

/** Property of StoreCounters, and its name after `store_<store>_`. */
const COUNTERS: readonly [Counted, string][] = [
  ['stats', 'stats'],
  ['reads', 'reads'],
  ['lists', 'lists'],
  ['failures', 'failures'],
  ['retries', 'retries'],
  ['readBytes', 'read_bytes'],
  ['listedTraces', 'listed_traces'],
];

export function storeCounters({ counters }: TraceStores): Record<string, number> {
  return Object.fromEntries(
    [...counters].flatMap(([store, counts]) =>
      COUNTERS.map(([key, name]) => [`store_${store}_${name}`, counts[key]]),
    ),
  );
}

export function storeGauges({ counters }: TraceStores): Record<string, number> {
  return Object.fromEntries(
    [...counters].map(([store, { inFlight }]) => [`store_${store}_in_flight`, inFlight]),
  );
}
