// Original file: perfetto.proto


/**
 * One message per trace.
 */
export interface BigtraceQueryResponseInput {
  'trace'?: (Buffer | Uint8Array | string);
  /**
   * each an encoded QueryResult
   */
  'result'?: (Buffer | Uint8Array | string)[];
  '_trace'?: "trace";
}

/**
 * One message per trace.
 */
export interface BigtraceQueryResponse {
  'trace'?: (Buffer);
  /**
   * each an encoded QueryResult
   */
  'result': (Buffer)[];
  '_trace'?: "trace";
}
