// Original file: bigtrace.proto


export interface ReadTraceResponseInput {
  'data'?: (Buffer | Uint8Array | string);
}

export interface ReadTraceResponse {
  'data': (Buffer);
}
