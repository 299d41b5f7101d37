// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

export interface FailuresRequestInput {
  /**
   * empty: all queries
   */
  'queryId'?: (string);
  /**
   * 0: all that are recorded
   */
  'limit'?: (number | string | Long);
  /**
   * as in StatusRequest
   */
  'ownOnly'?: (boolean);
}

export interface FailuresRequest {
  /**
   * empty: all queries
   */
  'queryId': (string);
  /**
   * 0: all that are recorded
   */
  'limit': (number);
  /**
   * as in StatusRequest
   */
  'ownOnly': (boolean);
}
