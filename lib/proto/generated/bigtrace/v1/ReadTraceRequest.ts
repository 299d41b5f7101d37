// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

export interface ReadTraceRequestInput {
  /**
   * exact address of one trace
   */
  'address'?: (Buffer | Uint8Array | string);
  /**
   * as List returned it
   */
  'generation'?: (string);
  'offset'?: (number | string | Long);
  /**
   * 0: to the end
   */
  'length'?: (number | string | Long);
}

export interface ReadTraceRequest {
  /**
   * exact address of one trace
   */
  'address': (Buffer);
  /**
   * as List returned it
   */
  'generation': (string);
  'offset': (number);
  /**
   * 0: to the end
   */
  'length': (number);
}
