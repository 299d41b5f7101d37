// Original file: bigtrace.proto

import type { RecordedFailureInput as _bigtrace_v1_RecordedFailureInput, RecordedFailure as _bigtrace_v1_RecordedFailure } from '../../bigtrace/v1/RecordedFailure.ts';

export interface FailuresResponseInput {
  'failure'?: (_bigtrace_v1_RecordedFailureInput)[];
}

export interface FailuresResponse {
  'failure': (_bigtrace_v1_RecordedFailure)[];
}
