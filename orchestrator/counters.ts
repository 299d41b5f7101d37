/** The counters and gauges of an orchestrator. The Status call and the metrics endpoint report them. */
import type { Counters } from '../lib/common/observability/counters.ts';

/** Each counter with its help text; it counts since the process started. The names are public: do not rename them. */
export const COUNTERS = {
  queries: 'queries started, without column findings',
  queries_failed: 'queries that ended with an error',
  schemas: 'column findings started',
  traces_done: 'traces that returned a result',
  traces_failed: 'traces that failed for good',
  retries: 'tasks assigned again after a failure',
  steals: 'tasks moved from a busy worker to an idle one',
  hedges: 'tasks assigned to a second worker because the first was silent',
  streams_broken: 'streams to workers that broke',
  rows: 'rows returned to clients',
  result_bytes: 'bytes of results returned to clients',
  trace_bytes: 'bytes of traces that workers read from stores',
} as const;

export type CounterName = keyof typeof COUNTERS;

/** Each gauge with its help text. The names are public: do not rename them. */
export const GAUGES = {
  queries_running: 'queries and other calls in progress',
  calls_for_workers: 'calls in progress that wait for a worker if there is none',
  traces_waiting: 'tasks that wait for a worker',
  traces_in_flight: 'tasks assigned to workers',
  trace_bytes_unfinished:
    'sizes of the traces that wait or are assigned, where a listing reported them',
  workers_ready: 'workers that accept tasks',
  workers_known: 'workers that are listed, or that a listed name resolves to',
} as const;

export type GaugeName = keyof typeof GAUGES;

export type OrchestratorCounters = Counters<CounterName>;
