// Original file: bigtrace.proto


export interface TaskInput {
  /**
   * chosen by the orchestrator, unique within the stream
   */
  'id'?: (number);
  'trace'?: (Buffer | Uint8Array | string);
  /**
   * As the listing of this query reported it within the last 2 s; otherwise empty. A cached result of this generation
   * is returned without a request to the store.
   */
  'generation'?: (string);
  /**
   * A worker was lost while it read, parsed or queried this trace. In case that it ran out of memory, the next worker
   * reserves all of its memory for the trace, unless the trace is too small to need more than a thread's share.
   */
  'alone'?: (boolean);
}

export interface Task {
  /**
   * chosen by the orchestrator, unique within the stream
   */
  'id': (number);
  'trace': (Buffer);
  /**
   * As the listing of this query reported it within the last 2 s; otherwise empty. A cached result of this generation
   * is returned without a request to the store.
   */
  'generation': (string);
  /**
   * A worker was lost while it read, parsed or queried this trace. In case that it ran out of memory, the next worker
   * reserves all of its memory for the trace, unless the trace is too small to need more than a thread's share.
   */
  'alone': (boolean);
}
