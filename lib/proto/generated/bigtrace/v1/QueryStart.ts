// Original file: bigtrace.proto

import type { OnFailureInput as _bigtrace_v1_OnFailureInput, OnFailure as _bigtrace_v1_OnFailure } from '../../bigtrace/v1/OnFailure.ts';
import type { LimitsInput as _bigtrace_v1_LimitsInput, Limits as _bigtrace_v1_Limits } from '../../bigtrace/v1/Limits.ts';

export interface QueryStartInput {
  /**
   * chosen by the client; generated if empty
   */
  'queryId'?: (string);
  /**
   * the script: PerfettoSQL, or SUMMARIZE TRACE and a TraceSummarySpec in textproto
   */
  'sql'?: (Buffer | Uint8Array | string);
  'onFailure'?: (_bigtrace_v1_OnFailureInput);
  'limits'?: (_bigtrace_v1_LimitsInput | null);
  /**
   * for logs and fairness; not a credential
   */
  'user'?: (string);
  /**
   * 0: no Progress events
   */
  'progressIntervalMs'?: (number);
}

export interface QueryStart {
  /**
   * chosen by the client; generated if empty
   */
  'queryId': (string);
  /**
   * the script: PerfettoSQL, or SUMMARIZE TRACE and a TraceSummarySpec in textproto
   */
  'sql': (Buffer);
  'onFailure': (_bigtrace_v1_OnFailure);
  'limits': (_bigtrace_v1_Limits | null);
  /**
   * for logs and fairness; not a credential
   */
  'user': (string);
  /**
   * 0: no Progress events
   */
  'progressIntervalMs': (number);
}
