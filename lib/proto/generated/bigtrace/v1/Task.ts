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
}
