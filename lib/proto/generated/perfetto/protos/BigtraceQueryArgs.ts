// Original file: perfetto.proto


export interface BigtraceQueryArgsInput {
  'traces'?: (Buffer | Uint8Array | string)[];
  'sqlQuery'?: (Buffer | Uint8Array | string);
  '_sqlQuery'?: "sqlQuery";
}

export interface BigtraceQueryArgs {
  'traces': (Buffer)[];
  'sqlQuery'?: (Buffer);
  '_sqlQuery'?: "sqlQuery";
}
