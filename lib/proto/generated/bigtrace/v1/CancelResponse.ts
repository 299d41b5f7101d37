// Original file: bigtrace.proto


export interface CancelResponseInput {
  /**
   * how many queries of that name were running
   */
  'cancelled'?: (number);
}

export interface CancelResponse {
  /**
   * how many queries of that name were running
   */
  'cancelled': (number);
}
