// Original file: bigtrace.proto

import type { QueryStartInput as _bigtrace_v1_QueryStartInput, QueryStart as _bigtrace_v1_QueryStart } from '../../bigtrace/v1/QueryStart.ts';
import type { TracesInput as _bigtrace_v1_TracesInput, Traces as _bigtrace_v1_Traces } from '../../bigtrace/v1/Traces.ts';

export interface QueryRequestInput {
  'start'?: (_bigtrace_v1_QueryStartInput | null);
  'traces'?: (_bigtrace_v1_TracesInput | null);
  'step'?: "start"|"traces";
}

export interface QueryRequest {
  'start'?: (_bigtrace_v1_QueryStart | null);
  'traces'?: (_bigtrace_v1_Traces | null);
  'step'?: "start"|"traces";
}
