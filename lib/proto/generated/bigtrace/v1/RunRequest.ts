// Original file: bigtrace.proto

import type { RunStartInput as _bigtrace_v1_RunStartInput, RunStart as _bigtrace_v1_RunStart } from '../../bigtrace/v1/RunStart.ts';
import type { AssignInput as _bigtrace_v1_AssignInput, Assign as _bigtrace_v1_Assign } from '../../bigtrace/v1/Assign.ts';
import type { WithdrawInput as _bigtrace_v1_WithdrawInput, Withdraw as _bigtrace_v1_Withdraw } from '../../bigtrace/v1/Withdraw.ts';
import type { CancelTasksInput as _bigtrace_v1_CancelTasksInput, CancelTasks as _bigtrace_v1_CancelTasks } from '../../bigtrace/v1/CancelTasks.ts';

export interface RunRequestInput {
  /**
   * the first message, and only that
   */
  'start'?: (_bigtrace_v1_RunStartInput | null);
  'assign'?: (_bigtrace_v1_AssignInput | null);
  'withdraw'?: (_bigtrace_v1_WithdrawInput | null);
  'cancel'?: (_bigtrace_v1_CancelTasksInput | null);
  'step'?: "start"|"assign"|"withdraw"|"cancel";
}

export interface RunRequest {
  /**
   * the first message, and only that
   */
  'start'?: (_bigtrace_v1_RunStart | null);
  'assign'?: (_bigtrace_v1_Assign | null);
  'withdraw'?: (_bigtrace_v1_Withdraw | null);
  'cancel'?: (_bigtrace_v1_CancelTasks | null);
  'step'?: "start"|"assign"|"withdraw"|"cancel";
}
