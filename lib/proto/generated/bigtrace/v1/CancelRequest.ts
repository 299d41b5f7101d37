// Original file: bigtrace.proto


export interface CancelRequestInput {
  'queryId'?: (string);
}

export interface CancelRequest {
  'queryId': (string);
}
