// Original file: bigtrace.proto

import type { ProgressInput as _bigtrace_v1_ProgressInput, Progress as _bigtrace_v1_Progress } from '../../bigtrace/v1/Progress.ts';
import type { Long } from '@grpc/proto-loader';

export interface QueryStateInput {
  'queryId'?: (string);
  'user'?: (string);
  /**
   * since the epoch
   */
  'startedMs'?: (number | string | Long);
  'progress'?: (_bigtrace_v1_ProgressInput | null);
}

export interface QueryState {
  'queryId': (string);
  'user': (string);
  /**
   * since the epoch
   */
  'startedMs': (number);
  'progress': (_bigtrace_v1_Progress | null);
}
