// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

export interface TaskStatsInput {
  'rows'?: (number | string | Long);
  /**
   * read from the store for this task; 0 if the result or the trace was cached
   */
  'traceBytes'?: (number | string | Long);
  /**
   * parse or restore
   */
  'loadMs'?: (number | string);
  'queryMs'?: (number | string);
  /**
   * source of the result: result (cache), loaded (trace), snapshot, parse
   */
  'tier'?: (string);
}

export interface TaskStats {
  'rows': (number);
  /**
   * read from the store for this task; 0 if the result or the trace was cached
   */
  'traceBytes': (number);
  /**
   * parse or restore
   */
  'loadMs': (number);
  'queryMs': (number);
  /**
   * source of the result: result (cache), loaded (trace), snapshot, parse
   */
  'tier': (string);
}
