/** Counts what a worker has done since its start; `Status` and the metrics report the counters. */
import type { Counters } from '../lib/common/observability/counters.ts';

/** Names and descriptions of the counters; the names are part of the public interface. */
export const COUNTERS = {
  tasks_done: 'tasks that returned a result',
  tasks_failed: 'tasks that failed',
  tier_result: 'results from the result cache',
  tier_loaded: 'results from a loaded trace',
  tier_snapshot: 'results from a trace restored from a snapshot',
  tier_parse: 'results from a trace that was parsed',
  parse_ms: 'time spent parsing traces, in milliseconds',
  restore_ms: 'time spent restoring the traces of tier_snapshot, in milliseconds',
  zstd_packets: 'zstd-compressed packets of traces that were decompressed',
  unpacked_bytes: 'bytes of decompressed traces, before the engine parsed them',
  load_warnings: 'warnings about loaded traces, such as fields that the engine does not know',
  query_ms: 'time spent running scripts on loaded traces, in milliseconds',
  trace_bytes: 'bytes of traces read from stores',
  result_bytes: 'bytes of results, computed or cached',
  rows: 'rows of results, computed or cached',
  threads_started: 'engine threads started',
  threads_killed: 'engine threads ended early: cancelled, timed out or crashed',
  results_from_memory: 'results found in the result cache in memory',
  results_from_disk: 'results found in the result cache on disk',
  result_misses: 'results not found in the result cache',
  results_written: 'results written to disk',
  results_unusable: 'results on disk that were damaged or of another format, and ignored',
  results_failed: 'failed accesses to the result cache directory',
  snapshots_written: 'snapshots written to disk',
  uncompressed_snapshots_written: 'uncompressed snapshots written to disk',
  snapshots_unusable: 'snapshots that were damaged or of another engine, and ignored',
  snapshots_failed: 'failed accesses to the snapshot directory',
  snapshots_fetched: 'snapshots fetched from the store of shared snapshots',
  snapshots_shared: 'snapshots written to the store of shared snapshots, or found there',
  shared_snapshots_failed: 'failed accesses to the store of shared snapshots',
  traces_barred: 'traces barred because loading them failed',
  barred_tasks: 'tasks that failed at once because their trace is barred',
  evictions: 'loaded traces evicted to make room for others',
} as const;

export type CounterName = keyof typeof COUNTERS;

/** Where the rows of a task came from, cheapest first; each has a counter. `snapshot` is a snapshot. */
export type Tier = 'result' | 'loaded' | 'snapshot' | 'parse';

export type WorkerCounters = Counters<CounterName>;
