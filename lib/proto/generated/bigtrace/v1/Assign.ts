// Original file: bigtrace.proto

import type { TaskInput as _bigtrace_v1_TaskInput, Task as _bigtrace_v1_Task } from '../../bigtrace/v1/Task.ts';

export interface AssignInput {
  'task'?: (_bigtrace_v1_TaskInput)[];
}

export interface Assign {
  'task': (_bigtrace_v1_Task)[];
}
