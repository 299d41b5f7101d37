// Original file: bigtrace.proto


/**
 * Chunks of different traces may interleave. Those of one trace are in order, and the last one of each
 * successful trace has `last` set.
 */
export interface TraceRowsInput {
  'trace'?: (Buffer | Uint8Array | string);
  /**
   * one encoded perfetto.protos.QueryResult
   */
  'result'?: (Buffer | Uint8Array | string);
  'last'?: (boolean);
}

/**
 * Chunks of different traces may interleave. Those of one trace are in order, and the last one of each
 * successful trace has `last` set.
 */
export interface TraceRows {
  'trace': (Buffer);
  /**
   * one encoded perfetto.protos.QueryResult
   */
  'result': (Buffer);
  'last': (boolean);
}
