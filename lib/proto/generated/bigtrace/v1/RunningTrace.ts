// Original file: bigtrace.proto

import type { TaskPhaseInput as _bigtrace_v1_TaskPhaseInput, TaskPhase as _bigtrace_v1_TaskPhase } from '../../bigtrace/v1/TaskPhase.ts';
import type { RunModeInput as _bigtrace_v1_RunModeInput, RunMode as _bigtrace_v1_RunMode } from '../../bigtrace/v1/RunMode.ts';
import type { Long } from '@grpc/proto-loader';

export interface RunningTraceInput {
  'trace'?: (Buffer | Uint8Array | string);
  'phase'?: (_bigtrace_v1_TaskPhaseInput);
  /**
   * time in this phase
   */
  'phaseMs'?: (number | string | Long);
  /**
   * time since the task was assigned to the worker
   */
  'totalMs'?: (number | string | Long);
  'queryId'?: (string);
  'user'?: (string);
  /**
   * address; set by the orchestrator
   */
  'worker'?: (string);
  'mode'?: (_bigtrace_v1_RunModeInput);
}

export interface RunningTrace {
  'trace': (Buffer);
  'phase': (_bigtrace_v1_TaskPhase);
  /**
   * time in this phase
   */
  'phaseMs': (number);
  /**
   * time since the task was assigned to the worker
   */
  'totalMs': (number);
  'queryId': (string);
  'user': (string);
  /**
   * address; set by the orchestrator
   */
  'worker': (string);
  'mode': (_bigtrace_v1_RunMode);
}
