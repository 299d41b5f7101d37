// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

/**
 * 0 means the default of the service. A service caps a limit at its own maximum.
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
   * of one engine
   */
  'memoryBytesMax'?: (number | string | Long);
}

/**
 * 0 means the default of the service. A service caps a limit at its own maximum.
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
   * of one engine
   */
  'memoryBytesMax': (number);
}
