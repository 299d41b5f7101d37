// Original file: bigtrace.proto


export interface UnbarResponseInput {
  /**
   * number of bars that were lifted, on all workers
   */
  'lifted'?: (number);
  /**
   * set by the orchestrator: workers that did not respond
   */
  'unreached'?: (string)[];
}

export interface UnbarResponse {
  /**
   * number of bars that were lifted, on all workers
   */
  'lifted': (number);
  /**
   * set by the orchestrator: workers that did not respond
   */
  'unreached': (string)[];
}
