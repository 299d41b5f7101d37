// Original file: bigtrace.proto

import type { WorkerStatusInput as _bigtrace_v1_WorkerStatusInput, WorkerStatus as _bigtrace_v1_WorkerStatus } from '../../bigtrace/v1/WorkerStatus.ts';

export interface WorkerStateInput {
  'address'?: (string);
  /**
   * connecting, ready, draining, lost
   */
  'state'?: (string);
  'status'?: (_bigtrace_v1_WorkerStatusInput | null);
}

export interface WorkerState {
  'address': (string);
  /**
   * connecting, ready, draining, lost
   */
  'state': (string);
  'status': (_bigtrace_v1_WorkerStatus | null);
}
