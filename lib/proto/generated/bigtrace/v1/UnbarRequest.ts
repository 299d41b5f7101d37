// Original file: bigtrace.proto


export interface UnbarRequestInput {
  /**
   * addresses, to the letter
   */
  'trace'?: (Buffer | Uint8Array | string)[];
  /**
   * every barred trace; `trace` is empty
   */
  'all'?: (boolean);
}

export interface UnbarRequest {
  /**
   * addresses, to the letter
   */
  'trace': (Buffer)[];
  /**
   * every barred trace; `trace` is empty
   */
  'all': (boolean);
}
