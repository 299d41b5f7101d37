// Original file: bigtrace.proto


export interface TaskInput {
  /**
   * the orchestrator's, unique within the stream
   */
  'id'?: (number);
  'trace'?: (Buffer | Uint8Array | string);
  /**
   * As this query's own listing said a moment ago, else empty. An answer that the worker remembers of it
   * holds without another look at the trace.
   */
  'generation'?: (string);
}

export interface Task {
  /**
   * the orchestrator's, unique within the stream
   */
  'id': (number);
  'trace': (Buffer);
  /**
   * As this query's own listing said a moment ago, else empty. An answer that the worker remembers of it
   * holds without another look at the trace.
   */
  'generation': (string);
}
