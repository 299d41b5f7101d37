// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

/**
 * What workers would do for traces now, and the sizes of these traces as their stores report them.
 */
export interface TraceSourcesInput {
  /**
   * a cached result
   */
  'remembered'?: (number | string | Long);
  /**
   * an engine has the trace loaded, or loads it
   */
  'loaded'?: (number | string | Long);
  /**
   * a snapshot on a disk that the worker reads
   */
  'restored'?: (number | string | Long);
  'parsed'?: (number | string | Long);
  /**
   * there is no such trace, or it is barred
   */
  'failed'?: (number | string | Long);
  /**
   * of all of these traces
   */
  'traceBytes'?: (number | string | Long);
  /**
   * of those that would be parsed
   */
  'parsedBytes'?: (number | string | Long);
}

/**
 * What workers would do for traces now, and the sizes of these traces as their stores report them.
 */
export interface TraceSources {
  /**
   * a cached result
   */
  'remembered': (number);
  /**
   * an engine has the trace loaded, or loads it
   */
  'loaded': (number);
  /**
   * a snapshot on a disk that the worker reads
   */
  'restored': (number);
  'parsed': (number);
  /**
   * there is no such trace, or it is barred
   */
  'failed': (number);
  /**
   * of all of these traces
   */
  'traceBytes': (number);
  /**
   * of those that would be parsed
   */
  'parsedBytes': (number);
}
