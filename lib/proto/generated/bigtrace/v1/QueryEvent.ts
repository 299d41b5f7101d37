// Original file: bigtrace.proto

import type { TraceRowsInput as _bigtrace_v1_TraceRowsInput, TraceRows as _bigtrace_v1_TraceRows } from '../../bigtrace/v1/TraceRows.ts';
import type { TraceFailureInput as _bigtrace_v1_TraceFailureInput, TraceFailure as _bigtrace_v1_TraceFailure } from '../../bigtrace/v1/TraceFailure.ts';
import type { ProgressInput as _bigtrace_v1_ProgressInput, Progress as _bigtrace_v1_Progress } from '../../bigtrace/v1/Progress.ts';

export interface QueryEventInput {
  'rows'?: (_bigtrace_v1_TraceRowsInput | null);
  /**
   * LENIENT only
   */
  'failure'?: (_bigtrace_v1_TraceFailureInput | null);
  'progress'?: (_bigtrace_v1_ProgressInput | null);
  'event'?: "rows"|"failure"|"progress";
}

export interface QueryEvent {
  'rows'?: (_bigtrace_v1_TraceRows | null);
  /**
   * LENIENT only
   */
  'failure'?: (_bigtrace_v1_TraceFailure | null);
  'progress'?: (_bigtrace_v1_Progress | null);
  'event'?: "rows"|"failure"|"progress";
}
