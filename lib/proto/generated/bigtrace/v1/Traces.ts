// Original file: bigtrace.proto


export interface TracesInput {
  /**
   * Addresses, glob patterns, or `/where/` and an expression over ClickHouse's table bigtrace.traces.
   */
  'address'?: (Buffer | Uint8Array | string)[];
}

export interface Traces {
  /**
   * Addresses, glob patterns, or `/where/` and an expression over ClickHouse's table bigtrace.traces.
   */
  'address': (Buffer)[];
}
