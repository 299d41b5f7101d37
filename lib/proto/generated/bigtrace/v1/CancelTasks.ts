// Original file: bigtrace.proto


/**
 * Ends traces whose answer is no longer wanted, begun or not. Each that has not ended is answered by `returned`.
 */
export interface CancelTasksInput {
  'id'?: (number)[];
}

/**
 * Ends traces whose answer is no longer wanted, begun or not. Each that has not ended is answered by `returned`.
 */
export interface CancelTasks {
  'id': (number)[];
}
