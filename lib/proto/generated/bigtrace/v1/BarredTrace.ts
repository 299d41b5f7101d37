// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

/**
 * A trace whose load ran into a bound, or failed in a way that another load would repeat. The worker
 * answers queries over it with the same error until its bytes change or the bar is lifted.
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
 * A trace whose load ran into a bound, or failed in a way that another load would repeat. The worker
 * answers queries over it with the same error until its bytes change or the bar is lifted.
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
