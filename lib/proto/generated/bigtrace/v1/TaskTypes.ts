// Original file: bigtrace.proto

import type { ColumnInput as _bigtrace_v1_ColumnInput, Column as _bigtrace_v1_Column } from '../../bigtrace/v1/Column.ts';
import type { TaskStatsInput as _bigtrace_v1_TaskStatsInput, TaskStats as _bigtrace_v1_TaskStats } from '../../bigtrace/v1/TaskStats.ts';

export interface TaskTypesInput {
  'id'?: (number);
  'column'?: (_bigtrace_v1_ColumnInput)[];
  'stats'?: (_bigtrace_v1_TaskStatsInput | null);
}

export interface TaskTypes {
  'id': (number);
  'column': (_bigtrace_v1_Column)[];
  'stats': (_bigtrace_v1_TaskStats | null);
}
