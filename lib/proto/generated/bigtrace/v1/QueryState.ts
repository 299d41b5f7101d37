// Original file: bigtrace.proto

import type { ProgressInput as _bigtrace_v1_ProgressInput, Progress as _bigtrace_v1_Progress } from '../../bigtrace/v1/Progress.ts';
import type { RunModeInput as _bigtrace_v1_RunModeInput, RunMode as _bigtrace_v1_RunMode } from '../../bigtrace/v1/RunMode.ts';
import type { Long } from '@grpc/proto-loader';

export interface QueryStateInput {
  'queryId'?: (string);
  'user'?: (string);
  /**
   * since the epoch
   */
  'startedMs'?: (number | string | Long);
  'progress'?: (_bigtrace_v1_ProgressInput | null);
  /**
   * the first 4000 bytes
   */
  'sql'?: (Buffer | Uint8Array | string);
  /**
   * TYPES: the column finding of a query
   */
  'mode'?: (_bigtrace_v1_RunModeInput);
}

export interface QueryState {
  'queryId': (string);
  'user': (string);
  /**
   * since the epoch
   */
  'startedMs': (number);
  'progress': (_bigtrace_v1_Progress | null);
  /**
   * the first 4000 bytes
   */
  'sql': (Buffer);
  /**
   * TYPES: the column finding of a query
   */
  'mode': (_bigtrace_v1_RunMode);
}
