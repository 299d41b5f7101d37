// Original file: bigtrace.proto

import type { ListedTraceInput as _bigtrace_v1_ListedTraceInput, ListedTrace as _bigtrace_v1_ListedTrace } from '../../bigtrace/v1/ListedTrace.ts';

export interface ListResponseInput {
  'trace'?: (_bigtrace_v1_ListedTraceInput)[];
}

export interface ListResponse {
  'trace': (_bigtrace_v1_ListedTrace)[];
}
