// Original file: bigtrace.proto


export interface UnbarResponseInput {
  /**
   * bars that were lifted, over all workers
   */
  'lifted'?: (number);
  /**
   * from the orchestrator: workers that did not answer
   */
  'unreached'?: (string)[];
}

export interface UnbarResponse {
  /**
   * bars that were lifted, over all workers
   */
  'lifted': (number);
  /**
   * from the orchestrator: workers that did not answer
   */
  'unreached': (string)[];
}
