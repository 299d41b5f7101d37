// Original file: bigtrace.proto

import type { LimitsInput as _bigtrace_v1_LimitsInput, Limits as _bigtrace_v1_Limits } from '../../bigtrace/v1/Limits.ts';
import type { OnFailureInput as _bigtrace_v1_OnFailureInput, OnFailure as _bigtrace_v1_OnFailure } from '../../bigtrace/v1/OnFailure.ts';

export interface SchemaRequestInput {
  'queryId'?: (string);
  'sql'?: (Buffer | Uint8Array | string);
  /**
   * addresses or glob patterns
   */
  'address'?: (Buffer | Uint8Array | string)[];
  'user'?: (string);
  'limits'?: (_bigtrace_v1_LimitsInput | null);
  'onFailure'?: (_bigtrace_v1_OnFailureInput);
  /**
   * The query has been given its columns: it gets the same again, and not those that a new search would find.
   */
  'again'?: (boolean);
}

export interface SchemaRequest {
  'queryId': (string);
  'sql': (Buffer);
  /**
   * addresses or glob patterns
   */
  'address': (Buffer)[];
  'user': (string);
  'limits': (_bigtrace_v1_Limits | null);
  'onFailure': (_bigtrace_v1_OnFailure);
  /**
   * The query has been given its columns: it gets the same again, and not those that a new search would find.
   */
  'again': (boolean);
}
