// Original file: perfetto.proto


export interface BigtraceQueryTraceArgsInput {
  'trace'?: (Buffer | Uint8Array | string);
  'sqlQuery'?: (Buffer | Uint8Array | string);
  '_trace'?: "trace";
  '_sqlQuery'?: "sqlQuery";
}

export interface BigtraceQueryTraceArgs {
  'trace'?: (Buffer);
  'sqlQuery'?: (Buffer);
  '_trace'?: "trace";
  '_sqlQuery'?: "sqlQuery";
}
