// Original file: bigtrace.proto


/**
 * Withdraws tasks that have not begun; the worker returns them in `returned`.
 */
export interface WithdrawInput {
  'id'?: (number)[];
}

/**
 * Withdraws tasks that have not begun; the worker returns them in `returned`.
 */
export interface Withdraw {
  'id': (number)[];
}
