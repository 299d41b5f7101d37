// Original file: bigtrace.proto

import type { LimitsInput as _bigtrace_v1_LimitsInput, Limits as _bigtrace_v1_Limits } from '../../bigtrace/v1/Limits.ts';
import type { RunModeInput as _bigtrace_v1_RunModeInput, RunMode as _bigtrace_v1_RunMode } from '../../bigtrace/v1/RunMode.ts';

export interface RunStartInput {
  'queryId'?: (string);
  'sql'?: (Buffer | Uint8Array | string);
  'limits'?: (_bigtrace_v1_LimitsInput | null);
  'mode'?: (_bigtrace_v1_RunModeInput);
  /**
   * So many traces may be assigned before the worker has said so, as its Status did. Where it takes fewer
   * by now, the others come back as `returned`.
   */
  'credits'?: (number);
  /**
   * Whose query it is. A worker shares its turns by user first, then by query.
   */
  'user'?: (string);
}

export interface RunStart {
  'queryId': (string);
  'sql': (Buffer);
  'limits': (_bigtrace_v1_Limits | null);
  'mode': (_bigtrace_v1_RunMode);
  /**
   * So many traces may be assigned before the worker has said so, as its Status did. Where it takes fewer
   * by now, the others come back as `returned`.
   */
  'credits': (number);
  /**
   * Whose query it is. A worker shares its turns by user first, then by query.
   */
  'user': (string);
}
