// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

/**
 * 0 means the service's own default; a service's own maximum cannot be passed.
 */
export interface LimitsInput {
  /**
   * for the whole query
   */
  'timeoutMs'?: (number);
  /**
   * of one trace
   */
  'resultRowsMax'?: (number | string | Long);
  /**
   * of one trace
   */
  'resultBytesMax'?: (number | string | Long);
  /**
   * size of one trace
   */
  'traceBytesMax'?: (number | string | Long);
  /**
   * of one TraceProcessor instance
   */
  'memoryBytesMax'?: (number | string | Long);
}

/**
 * 0 means the service's own default; a service's own maximum cannot be passed.
 */
export interface Limits {
  /**
   * for the whole query
   */
  'timeoutMs': (number);
  /**
   * of one trace
   */
  'resultRowsMax': (number);
  /**
   * of one trace
   */
  'resultBytesMax': (number);
  /**
   * size of one trace
   */
  'traceBytesMax': (number);
  /**
   * of one TraceProcessor instance
   */
  'memoryBytesMax': (number);
}
