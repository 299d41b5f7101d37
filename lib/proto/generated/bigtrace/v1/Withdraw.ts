// Original file: bigtrace.proto


/**
 * Takes back traces that were not begun; those that could be are answered by `returned`.
 */
export interface WithdrawInput {
  'id'?: (number)[];
}

/**
 * Takes back traces that were not begun; those that could be are answered by `returned`.
 */
export interface Withdraw {
  'id': (number)[];
}
