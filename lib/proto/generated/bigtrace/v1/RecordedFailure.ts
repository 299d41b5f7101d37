// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A failed trace, or (with no trace) a query that failed as a whole.
 */
export interface RecordedFailureInput {
  'queryId'?: (string);
  'user'?: (string);
  'trace'?: (Buffer | Uint8Array | string);
  /**
   * lib/common/errors.ts
   */
  'code'?: (string);
  'message'?: (string);
  /**
   * how many workers were given the trace
   */
  'attempts'?: (number);
  /**
   * since the epoch
   */
  'timeMs'?: (number | string | Long);
}

/**
 * A failed trace, or (with no trace) a query that failed as a whole.
 */
export interface RecordedFailure {
  'queryId': (string);
  'user': (string);
  'trace': (Buffer);
  /**
   * lib/common/errors.ts
   */
  'code': (string);
  'message': (string);
  /**
   * how many workers were given the trace
   */
  'attempts': (number);
  /**
   * since the epoch
   */
  'timeMs': (number);
}
