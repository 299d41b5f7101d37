// Original file: bigtrace.proto

import type { TaskRowsInput as _bigtrace_v1_TaskRowsInput, TaskRows as _bigtrace_v1_TaskRows } from '../../bigtrace/v1/TaskRows.ts';
import type { TaskTypesInput as _bigtrace_v1_TaskTypesInput, TaskTypes as _bigtrace_v1_TaskTypes } from '../../bigtrace/v1/TaskTypes.ts';
import type { TaskFailureInput as _bigtrace_v1_TaskFailureInput, TaskFailure as _bigtrace_v1_TaskFailure } from '../../bigtrace/v1/TaskFailure.ts';
import type { ReturnedInput as _bigtrace_v1_ReturnedInput, Returned as _bigtrace_v1_Returned } from '../../bigtrace/v1/Returned.ts';
import type { StatesInput as _bigtrace_v1_StatesInput, States as _bigtrace_v1_States } from '../../bigtrace/v1/States.ts';

export interface RunEventInput {
  /**
   * so many more traces may be assigned
   */
  'credits'?: (number);
  'rows'?: (_bigtrace_v1_TaskRowsInput | null);
  /**
   * TYPES mode: the task's end
   */
  'types'?: (_bigtrace_v1_TaskTypesInput | null);
  /**
   * the task's end
   */
  'failure'?: (_bigtrace_v1_TaskFailureInput | null);
  'returned'?: (_bigtrace_v1_ReturnedInput | null);
  /**
   * no more credits will come; traces not begun follow as `returned`
   */
  'draining'?: (boolean);
  'states'?: (_bigtrace_v1_StatesInput | null);
  'event'?: "credits"|"rows"|"types"|"failure"|"returned"|"draining"|"states";
}

export interface RunEvent {
  /**
   * so many more traces may be assigned
   */
  'credits'?: (number);
  'rows'?: (_bigtrace_v1_TaskRows | null);
  /**
   * TYPES mode: the task's end
   */
  'types'?: (_bigtrace_v1_TaskTypes | null);
  /**
   * the task's end
   */
  'failure'?: (_bigtrace_v1_TaskFailure | null);
  'returned'?: (_bigtrace_v1_Returned | null);
  /**
   * no more credits will come; traces not begun follow as `returned`
   */
  'draining'?: (boolean);
  'states'?: (_bigtrace_v1_States | null);
  'event'?: "credits"|"rows"|"types"|"failure"|"returned"|"draining"|"states";
}
