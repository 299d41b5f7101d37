// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

export interface ListedTraceInput {
  'address'?: (Buffer | Uint8Array | string);
  'size'?: (number | string | Long);
  /**
   * differs whenever the bytes of the trace do
   */
  'generation'?: (string);
  /**
   * since the epoch; 0 if the store does not report it
   */
  'modifiedMs'?: (number | string | Long);
}

export interface ListedTrace {
  'address': (Buffer);
  'size': (number);
  /**
   * differs whenever the bytes of the trace do
   */
  'generation': (string);
  /**
   * since the epoch; 0 if the store does not report it
   */
  'modifiedMs': (number);
}
