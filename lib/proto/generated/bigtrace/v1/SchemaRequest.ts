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
   * Whether the client has the columns of this query already: then the same columns are returned again.
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
   * Whether the client has the columns of this query already: then the same columns are returned again.
   */
  'again': (boolean);
}
