// Original file: bigtrace.proto

import type { TaskStateInput as _bigtrace_v1_TaskStateInput, TaskState as _bigtrace_v1_TaskState } from '../../bigtrace/v1/TaskState.ts';

/**
 * The states of the stream's tasks. Sent once a second while a task has been assigned for longer than a second,
 * with all such tasks; a shorter task is never reported.
 */
export interface StatesInput {
  'state'?: (_bigtrace_v1_TaskStateInput)[];
}

/**
 * The states of the stream's tasks. Sent once a second while a task has been assigned for longer than a second,
 * with all such tasks; a shorter task is never reported.
 */
export interface States {
  'state': (_bigtrace_v1_TaskState)[];
}
