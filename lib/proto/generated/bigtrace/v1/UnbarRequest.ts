// Original file: bigtrace.proto


export interface UnbarRequestInput {
  /**
   * exact addresses, no patterns
   */
  'trace'?: (Buffer | Uint8Array | string)[];
  /**
   * every barred trace; `trace` is empty
   */
  'all'?: (boolean);
}

export interface UnbarRequest {
  /**
   * exact addresses, no patterns
   */
  'trace': (Buffer)[];
  /**
   * every barred trace; `trace` is empty
   */
  'all': (boolean);
}
