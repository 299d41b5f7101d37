// Original file: bigtrace.proto


export interface ProgressRequestInput {
  'queryId'?: (string);
  /**
   * as in StatusRequest
   */
  'ownOnly'?: (boolean);
}

export interface ProgressRequest {
  'queryId': (string);
  /**
   * as in StatusRequest
   */
  'ownOnly': (boolean);
}
