/** Counts what a worker has done since its start; `Status` and the metrics report the counters. */
import type { Counters } from '../lib/common/observability/counters.ts';

/** Names and descriptions of the counters; the names are part of the public interface. */
export const COUNTERS = {
  tasks_done: 'traces answered, of all queries',
  tasks_failed: 'traces whose answer was an error',
  tier_result: 'answers from remembered results',
  tier_resident: 'answers from a trace that was in memory',
  tier_image: 'answers from a trace restored from its image',
  tier_parse: 'answers from a trace that had to be parsed',
  parse_ms: 'milliseconds spent parsing',
  zstd_packets: 'zstd-compressed packets of traces that were decompressed',
  unpacked_bytes: 'bytes that decompressing traces gave, before the engine parsed them',
  load_warnings:
    'warnings of traces that were loaded: fields the engine does not know, and the like',
  query_ms: 'milliseconds spent in queries on loaded traces',
  trace_bytes: 'bytes of trace read from stores',
  result_bytes: 'bytes of results, made or remembered',
  rows: 'rows of results, made or remembered',
  threads_started: 'threads started',
  threads_killed: 'threads ended before their time: cancelled, timed out or crashed',
  results_from_memory: 'answers that were remembered in memory',
  results_from_disk: 'answers that were remembered on disk',
  result_misses: 'answers that were looked for among the remembered and not found',
  results_written: 'answers written to disk',
  results_unusable: 'answers on disk that were damaged or foreign, and ignored',
  results_failed: 'attempts to use the directory of answers that failed',
  images_written: 'images of traces written to disk',
  images_unusable: 'images that were damaged or foreign, and ignored',
  images_failed: 'attempts to use the image directory that failed',
  traces_barred: 'traces whose load failed in a way that another load would repeat',
  barred_answers: 'answers that were the remembered failure of a load',
  evictions: 'loaded traces that made place for others',
} as const;

export type CounterName = keyof typeof COUNTERS;

/** Where the rows of a task came from, cheapest first; each has a counter. `image` is a snapshot. */
export type Tier = 'result' | 'resident' | 'image' | 'parse';

export type WorkerCounters = Counters<CounterName>;
