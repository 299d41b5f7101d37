// Original file: bigtrace.proto

import type { TaskStateInput as _bigtrace_v1_TaskStateInput, TaskState as _bigtrace_v1_TaskState } from '../../bigtrace/v1/TaskState.ts';

/**
 * What the stream's tasks are doing. Sent once a second while a task has been with the worker for longer than
 * a second, and names all of those; a task that is quicker is never named.
 */
export interface StatesInput {
  'state'?: (_bigtrace_v1_TaskStateInput)[];
}

/**
 * What the stream's tasks are doing. Sent once a second while a task has been with the worker for longer than
 * a second, and names all of those; a task that is quicker is never named.
 */
export interface States {
  'state': (_bigtrace_v1_TaskState)[];
}
