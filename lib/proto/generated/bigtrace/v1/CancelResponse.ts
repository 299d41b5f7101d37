// Original file: bigtrace.proto


export interface CancelResponseInput {
  /**
   * number of running queries with this id, which were cancelled
   */
  'cancelled'?: (number);
}

export interface CancelResponse {
  /**
   * number of running queries with this id, which were cancelled
   */
  'cancelled': (number);
}
