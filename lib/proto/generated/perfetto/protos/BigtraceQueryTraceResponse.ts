// Original file: perfetto.proto


export interface BigtraceQueryTraceResponseInput {
  'trace'?: (Buffer | Uint8Array | string);
  /**
   * each an encoded QueryResult
   */
  'result'?: (Buffer | Uint8Array | string)[];
  '_trace'?: "trace";
}

export interface BigtraceQueryTraceResponse {
  'trace'?: (Buffer);
  /**
   * each an encoded QueryResult
   */
  'result': (Buffer)[];
  '_trace'?: "trace";
}
