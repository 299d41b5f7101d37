// Original file: bigtrace.proto


/**
 * Chunks of different traces interleave; those of one trace come in order, and every trace that
 * answered ends with one whose `last` is set.
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
 * Chunks of different traces interleave; those of one trace come in order, and every trace that
 * answered ends with one whose `last` is set.
 */
export interface TraceRows {
  'trace': (Buffer);
  /**
   * one encoded perfetto.protos.QueryResult
   */
  'result': (Buffer);
  'last': (boolean);
}
