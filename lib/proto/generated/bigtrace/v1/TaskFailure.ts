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
  /**
   * memory that the trace needs, if it is more than an engine of this worker may have; else 0
   */
  'neededBytes'?: (number | string | Long);
}

export interface TaskFailure {
  'id': (number);
  'code': (string);
  'message': (string);
  /**
   * time on its engine thread
   */
  'threadMs': (number);
  /**
   * memory that the trace needs, if it is more than an engine of this worker may have; else 0
   */
  'neededBytes': (number);
}
