// Original file: bigtrace.proto

import type { TaskRowsInput as _bigtrace_v1_TaskRowsInput, TaskRows as _bigtrace_v1_TaskRows } from '../../bigtrace/v1/TaskRows.ts';
import type { TaskTypesInput as _bigtrace_v1_TaskTypesInput, TaskTypes as _bigtrace_v1_TaskTypes } from '../../bigtrace/v1/TaskTypes.ts';
import type { TaskFailureInput as _bigtrace_v1_TaskFailureInput, TaskFailure as _bigtrace_v1_TaskFailure } from '../../bigtrace/v1/TaskFailure.ts';
import type { ReturnedInput as _bigtrace_v1_ReturnedInput, Returned as _bigtrace_v1_Returned } from '../../bigtrace/v1/Returned.ts';
import type { StatesInput as _bigtrace_v1_StatesInput, States as _bigtrace_v1_States } from '../../bigtrace/v1/States.ts';

export interface RunEventInput {
  /**
   * number of further tasks that may be assigned
   */
  'credits'?: (number);
  'rows'?: (_bigtrace_v1_TaskRowsInput | null);
  /**
   * ends a task in TYPES mode
   */
  'types'?: (_bigtrace_v1_TaskTypesInput | null);
  /**
   * ends a task
   */
  'failure'?: (_bigtrace_v1_TaskFailureInput | null);
  'returned'?: (_bigtrace_v1_ReturnedInput | null);
  /**
   * no more credits follow; tasks that have not begun are returned in `returned`
   */
  'draining'?: (boolean);
  'states'?: (_bigtrace_v1_StatesInput | null);
  'event'?: "credits"|"rows"|"types"|"failure"|"returned"|"draining"|"states";
}

export interface RunEvent {
  /**
   * number of further tasks that may be assigned
   */
  'credits'?: (number);
  'rows'?: (_bigtrace_v1_TaskRows | null);
  /**
   * ends a task in TYPES mode
   */
  'types'?: (_bigtrace_v1_TaskTypes | null);
  /**
   * ends a task
   */
  'failure'?: (_bigtrace_v1_TaskFailure | null);
  'returned'?: (_bigtrace_v1_Returned | null);
  /**
   * no more credits follow; tasks that have not begun are returned in `returned`
   */
  'draining'?: (boolean);
  'states'?: (_bigtrace_v1_States | null);
  'event'?: "credits"|"rows"|"types"|"failure"|"returned"|"draining"|"states";
}
