// Original file: bigtrace.proto

import type { QueryEventInput as _bigtrace_v1_QueryEventInput, QueryEvent as _bigtrace_v1_QueryEvent } from '../../bigtrace/v1/QueryEvent.ts';

export interface QueryResponseInput {
  'event'?: (_bigtrace_v1_QueryEventInput)[];
}

export interface QueryResponse {
  'event': (_bigtrace_v1_QueryEvent)[];
}
