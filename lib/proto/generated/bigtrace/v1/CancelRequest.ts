// Original file: bigtrace.proto


export interface CancelRequestInput {
  'queryId'?: (string);
  /**
   * as in StatusRequest
   */
  'ownOnly'?: (boolean);
}

export interface CancelRequest {
  'queryId': (string);
  /**
   * as in StatusRequest
   */
  'ownOnly': (boolean);
}
