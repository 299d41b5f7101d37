// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

export interface TaskStatsInput {
  'rows'?: (number | string | Long);
  /**
   * read from the store for this answer; 0 where a cache had it
   */
  'traceBytes'?: (number | string | Long);
  /**
   * parse or restore
   */
  'loadMs'?: (number | string);
  'queryMs'?: (number | string);
  /**
   * where the answer came from: result, resident, image, parse
   */
  'tier'?: (string);
}

export interface TaskStats {
  'rows': (number);
  /**
   * read from the store for this answer; 0 where a cache had it
   */
  'traceBytes': (number);
  /**
   * parse or restore
   */
  'loadMs': (number);
  'queryMs': (number);
  /**
   * where the answer came from: result, resident, image, parse
   */
  'tier': (string);
}
