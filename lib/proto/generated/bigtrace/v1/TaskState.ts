// Original file: bigtrace.proto

import type { TaskPhaseInput as _bigtrace_v1_TaskPhaseInput, TaskPhase as _bigtrace_v1_TaskPhase } from '../../bigtrace/v1/TaskPhase.ts';
import type { Long } from '@grpc/proto-loader';

export interface TaskStateInput {
  'id'?: (number);
  'phase'?: (_bigtrace_v1_TaskPhaseInput);
  /**
   * time in this phase
   */
  'phaseMs'?: (number | string | Long);
  /**
   * time on its engine thread so far
   */
  'threadMs'?: (number | string | Long);
}

export interface TaskState {
  'id': (number);
  'phase': (_bigtrace_v1_TaskPhase);
  /**
   * time in this phase
   */
  'phaseMs': (number);
  /**
   * time on its engine thread so far
   */
  'threadMs': (number);
}
