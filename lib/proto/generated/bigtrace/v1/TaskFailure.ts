// Original file: bigtrace.proto

import type { Long } from '@grpc/proto-loader';

export interface TaskFailureInput {
  'id'?: (number);
  'code'?: (string);
  'message'?: (string);
  /**
   * time on its engine thread
   */
  'threadMs'?: (number | string | Long);
}

export interface TaskFailure {
  'id': (number);
  'code': (string);
  'message': (string);
  /**
   * time on its engine thread
   */
  'threadMs': (number);
}
