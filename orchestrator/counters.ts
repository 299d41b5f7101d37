/** The counters and gauges of an orchestrator. The Status call and the metrics endpoint report them. */
import type { Counters } from '../lib/common/observability/counters.ts';

/** Each counter with its help text; it counts since the process started. The names are public: do not rename them. */
export const COUNTERS = {
  queries: 'queries begun, the search for columns not counted',
  queries_failed: 'queries that ended with an error',
  schemas: 'searches for the columns of a query',
  traces_done: 'traces that answered',
  traces_failed: 'traces that failed for good',
  retries: 'traces asked again after a failure',
  steals: 'traces that an idle worker took from a busy one',
  hedges: 'traces given to a second worker because the first took very long',
  streams_broken: 'streams to workers that broke',
  rows: 'rows passed on',
  result_bytes: 'bytes of results passed on',
  trace_bytes: 'bytes of trace that workers read from stores',
} as const;

export type CounterName = keyof typeof COUNTERS;

/** Each gauge with its help text. The names are public: do not rename them. */
export const GAUGES = {
  queries_running: 'queries and other calls that run',
  traces_waiting: 'traces that wait for a worker',
  traces_in_flight: 'traces that are with workers',
  workers_ready: 'workers that take traces',
  workers_known: 'workers of the list, or that names lead to',
} as const;

export type GaugeName = keyof typeof GAUGES;

export type OrchestratorCounters = Counters<CounterName>;
