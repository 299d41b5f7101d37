// Original file: bigtrace.proto


export interface StatusRequestInput {
  /**
   * without what other orchestrators (--peers) know
   */
  'ownOnly'?: (boolean);
}

export interface StatusRequest {
  /**
   * without what other orchestrators (--peers) know
   */
  'ownOnly': (boolean);
}
