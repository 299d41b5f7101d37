// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

export interface ListedTraceInput {
  'address'?: (Buffer | Uint8Array | string);
  'size'?: (number | string | Long);
  /**
   * changes whenever the trace's bytes do
   */
  'generation'?: (string);
  /**
   * since the epoch; 0 where the store does not know
   */
  'modifiedMs'?: (number | string | Long);
}

export interface ListedTrace {
  'address': (Buffer);
  'size': (number);
  /**
   * changes whenever the trace's bytes do
   */
  'generation': (string);
  /**
   * since the epoch; 0 where the store does not know
   */
  'modifiedMs': (number);
}
