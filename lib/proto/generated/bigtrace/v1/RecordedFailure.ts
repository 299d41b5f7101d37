// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A failed trace or, if `trace` is empty, a query that failed as a whole.
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
   * number of attempts
   */
  'attempts'?: (number);
  /**
   * since the epoch
   */
  'timeMs'?: (number | string | Long);
}

/**
 * A failed trace or, if `trace` is empty, a query that failed as a whole.
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
   * number of attempts
   */
  'attempts': (number);
  /**
   * since the epoch
   */
  'timeMs': (number);
}
