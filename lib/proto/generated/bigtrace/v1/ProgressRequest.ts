// Original file: bigtrace.proto


export interface ProgressRequestInput {
  'queryId'?: (string);
}

export interface ProgressRequest {
  'queryId': (string);
}
