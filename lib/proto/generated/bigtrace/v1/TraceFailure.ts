// Original file: bigtrace.proto


export interface TraceFailureInput {
  'trace'?: (Buffer | Uint8Array | string);
  /**
   * lib/common/errors.ts
   */
  'code'?: (string);
  'message'?: (string);
  'attempts'?: (number);
}

export interface TraceFailure {
  'trace': (Buffer);
  /**
   * lib/common/errors.ts
   */
  'code': (string);
  'message': (string);
  'attempts': (number);
}
