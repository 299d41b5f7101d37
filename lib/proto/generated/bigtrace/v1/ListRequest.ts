// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

export interface ListRequestInput {
  'pattern'?: (Buffer | Uint8Array | string)[];
  /**
   * 0: all
   */
  'limit'?: (number | string | Long);
}

export interface ListRequest {
  'pattern': (Buffer)[];
  /**
   * 0: all
   */
  'limit': (number);
}
