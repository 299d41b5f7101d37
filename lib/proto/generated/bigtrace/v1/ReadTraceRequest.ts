// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

export interface ReadTraceRequestInput {
  /**
   * of one trace, to the letter
   */
  'address'?: (Buffer | Uint8Array | string);
  /**
   * as List gave it
   */
  'generation'?: (string);
  'offset'?: (number | string | Long);
  /**
   * 0: up to the end
   */
  'length'?: (number | string | Long);
}

export interface ReadTraceRequest {
  /**
   * of one trace, to the letter
   */
  'address': (Buffer);
  /**
   * as List gave it
   */
  'generation': (string);
  'offset': (number);
  /**
   * 0: up to the end
   */
  'length': (number);
}
