// Original file: bigtrace.proto

import type { ProgressInput as _bigtrace_v1_ProgressInput, Progress as _bigtrace_v1_Progress } from '../../bigtrace/v1/Progress.ts';

export interface ProgressResponseInput {
  /**
   * absent: no orchestrator knows the query
   */
  'progress'?: (_bigtrace_v1_ProgressInput | null);
}

export interface ProgressResponse {
  /**
   * absent: no orchestrator knows the query
   */
  'progress': (_bigtrace_v1_Progress | null);
}
