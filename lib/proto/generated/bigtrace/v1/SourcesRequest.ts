// Original file: bigtrace.proto

import type { SourceTraceInput as _bigtrace_v1_SourceTraceInput, SourceTrace as _bigtrace_v1_SourceTrace } from '../../bigtrace/v1/SourceTrace.ts';

export interface SourcesRequestInput {
  'sql'?: (Buffer | Uint8Array | string);
  'trace'?: (_bigtrace_v1_SourceTraceInput)[];
  'user'?: (string);
}

export interface SourcesRequest {
  'sql': (Buffer);
  'trace': (_bigtrace_v1_SourceTrace)[];
  'user': (string);
}
