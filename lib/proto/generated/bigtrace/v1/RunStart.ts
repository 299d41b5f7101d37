// Original file: bigtrace.proto

import type { LimitsInput as _bigtrace_v1_LimitsInput, Limits as _bigtrace_v1_Limits } from '../../bigtrace/v1/Limits.ts';
import type { RunModeInput as _bigtrace_v1_RunModeInput, RunMode as _bigtrace_v1_RunMode } from '../../bigtrace/v1/RunMode.ts';

export interface RunStartInput {
  'queryId'?: (string);
  'sql'?: (Buffer | Uint8Array | string);
  'limits'?: (_bigtrace_v1_LimitsInput | null);
  'mode'?: (_bigtrace_v1_RunModeInput);
  /**
   * Number of tasks that may be assigned before the worker grants credits, from its Status. If it accepts fewer
   * by now, it returns the others in `returned`.
   */
  'credits'?: (number);
  /**
   * User of the query. A worker shares its threads by user first, then by query.
   */
  'user'?: (string);
  /**
   * WorkerStatus.engine that the query needs; empty: any. A worker that was started again with another engine refuses.
   */
  'engine'?: (string);
}

export interface RunStart {
  'queryId': (string);
  'sql': (Buffer);
  'limits': (_bigtrace_v1_Limits | null);
  'mode': (_bigtrace_v1_RunMode);
  /**
   * Number of tasks that may be assigned before the worker grants credits, from its Status. If it accepts fewer
   * by now, it returns the others in `returned`.
   */
  'credits': (number);
  /**
   * User of the query. A worker shares its threads by user first, then by query.
   */
  'user': (string);
  /**
   * WorkerStatus.engine that the query needs; empty: any. A worker that was started again with another engine refuses.
   */
  'engine': (string);
}
