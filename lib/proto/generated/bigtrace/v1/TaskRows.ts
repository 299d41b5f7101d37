// Original file: bigtrace.proto

import type { TaskStatsInput as _bigtrace_v1_TaskStatsInput, TaskStats as _bigtrace_v1_TaskStats } from '../../bigtrace/v1/TaskStats.ts';

export interface TaskRowsInput {
  'id'?: (number);
  /**
   * one encoded perfetto.protos.QueryResult, as the engine returned it
   */
  'result'?: (Buffer | Uint8Array | string);
  /**
   * ends the task
   */
  'last'?: (boolean);
  /**
   * with the last
   */
  'stats'?: (_bigtrace_v1_TaskStatsInput | null);
}

export interface TaskRows {
  'id': (number);
  /**
   * one encoded perfetto.protos.QueryResult, as the engine returned it
   */
  'result': (Buffer);
  /**
   * ends the task
   */
  'last': (boolean);
  /**
   * with the last
   */
  'stats': (_bigtrace_v1_TaskStats | null);
}
