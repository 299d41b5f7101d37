// Original file: bigtrace.proto

import type { TaskStatsInput as _bigtrace_v1_TaskStatsInput, TaskStats as _bigtrace_v1_TaskStats } from '../../bigtrace/v1/TaskStats.ts';

export interface TaskRowsInput {
  'id'?: (number);
  /**
   * one encoded perfetto.protos.QueryResult, as the engine wrote it
   */
  'result'?: (Buffer | Uint8Array | string);
  /**
   * the task's end
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
   * one encoded perfetto.protos.QueryResult, as the engine wrote it
   */
  'result': (Buffer);
  /**
   * the task's end
   */
  'last': (boolean);
  /**
   * with the last
   */
  'stats': (_bigtrace_v1_TaskStats | null);
}
