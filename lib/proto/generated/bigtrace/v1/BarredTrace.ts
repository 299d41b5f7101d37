// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A trace whose load exceeded a limit, or failed in a way that another load would repeat. The worker
 * returns the same error for each task on it, until the trace changes or `Unbar` is called.
 */
export interface BarredTraceInput {
  'trace'?: (Buffer | Uint8Array | string);
  'generation'?: (string);
  /**
   * lib/common/errors.ts
   */
  'code'?: (string);
  'message'?: (string);
  /**
   * since the epoch
   */
  'barredMs'?: (number | string | Long);
}

/**
 * A trace whose load exceeded a limit, or failed in a way that another load would repeat. The worker
 * returns the same error for each task on it, until the trace changes or `Unbar` is called.
 */
export interface BarredTrace {
  'trace': (Buffer);
  'generation': (string);
  /**
   * lib/common/errors.ts
   */
  'code': (string);
  'message': (string);
  /**
   * since the epoch
   */
  'barredMs': (number);
}
