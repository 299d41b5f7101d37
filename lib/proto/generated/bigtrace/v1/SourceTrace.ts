// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

export interface SourceTraceInput {
  'address'?: (Buffer | Uint8Array | string);
  /**
   * as a listing reported it, with the size; empty: the worker asks the store
   */
  'generation'?: (string);
  'size'?: (number | string | Long);
}

export interface SourceTrace {
  'address': (Buffer);
  /**
   * as a listing reported it, with the size; empty: the worker asks the store
   */
  'generation': (string);
  'size': (number);
}
