// Original file: bigtrace.proto


/**
 * Cancels tasks whose result is not needed any more, begun or not; the worker returns them in `returned`.
 */
export interface CancelTasksInput {
  'id'?: (number)[];
}

/**
 * Cancels tasks whose result is not needed any more, begun or not; the worker returns them in `returned`.
 */
export interface CancelTasks {
  'id': (number)[];
}
