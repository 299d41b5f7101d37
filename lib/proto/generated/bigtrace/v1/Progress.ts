// Original file: bigtrace.proto

import type { RunningTraceInput as _bigtrace_v1_RunningTraceInput, RunningTrace as _bigtrace_v1_RunningTrace } from '../../bigtrace/v1/RunningTrace.ts';
import type { Long } from '@grpc/proto-loader';

export interface ProgressInput {
  /**
   * as far as known: it grows while patterns are expanded
   */
  'tracesTotal'?: (number | string | Long);
  'totalIsFinal'?: (boolean);
  'tracesDone'?: (number | string | Long);
  'tracesFailed'?: (number | string | Long);
  'rows'?: (number | string | Long);
  'resultBytes'?: (number | string | Long);
  /**
   * bytes of traces that were read from stores; contains what core_ms does
   */
  'traceBytes'?: (number | string | Long);
  'elapsedMs'?: (number | string | Long);
  /**
   * the traces that have run longest, at most 10
   */
  'running'?: (_bigtrace_v1_RunningTraceInput)[];
  /**
   * Cost of the traces that are done: time of engine threads, for loading and running SQL, without waiting for a slow
   * reader of the rows, and how many came from where. core_ms contains what the orchestrator has spent before under the ID
   * of the query, for column finding or an earlier attempt.
   */
  'coreMs'?: (number | string | Long);
  /**
   * a cached result
   */
  'tracesRemembered'?: (number | string | Long);
  /**
   * an engine that had the trace loaded
   */
  'tracesLoaded'?: (number | string | Long);
  /**
   * a snapshot
   */
  'tracesRestored'?: (number | string | Long);
  'tracesParsed'?: (number | string | Long);
}

export interface Progress {
  /**
   * as far as known: it grows while patterns are expanded
   */
  'tracesTotal': (number);
  'totalIsFinal': (boolean);
  'tracesDone': (number);
  'tracesFailed': (number);
  'rows': (number);
  'resultBytes': (number);
  /**
   * bytes of traces that were read from stores; contains what core_ms does
   */
  'traceBytes': (number);
  'elapsedMs': (number);
  /**
   * the traces that have run longest, at most 10
   */
  'running': (_bigtrace_v1_RunningTrace)[];
  /**
   * Cost of the traces that are done: time of engine threads, for loading and running SQL, without waiting for a slow
   * reader of the rows, and how many came from where. core_ms contains what the orchestrator has spent before under the ID
   * of the query, for column finding or an earlier attempt.
   */
  'coreMs': (number);
  /**
   * a cached result
   */
  'tracesRemembered': (number);
  /**
   * an engine that had the trace loaded
   */
  'tracesLoaded': (number);
  /**
   * a snapshot
   */
  'tracesRestored': (number);
  'tracesParsed': (number);
}
