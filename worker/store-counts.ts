/** Reports the counters of a worker's stores for `Status` and the metrics, named `store_<store>_<counter>`. */
import type { StoreCounters, TraceStores } from '../lib/trace-store/index.ts';

/** Names and descriptions of the counters; the names are part of the public interface. */
export const STORE_COUNTS = {
  store_stats: 'questions about one trace',
  store_reads: 'traces read, whole or from a place on',
  store_lists: 'patterns and prefixes listed',
  store_failures:
    'questions, reads and lists that a store failed or refused; what is not there is none',
  store_retries: 'times that a store was asked again',
  store_read_bytes: 'bytes read',
  store_listed_traces: 'traces listed',
  store_in_flight: 'questions, reads and lists that are going on',
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
