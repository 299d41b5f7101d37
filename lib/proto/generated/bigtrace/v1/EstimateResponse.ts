// Original file: bigtrace.proto

import type { TraceSourcesInput as _bigtrace_v1_TraceSourcesInput, TraceSources as _bigtrace_v1_TraceSources } from '../../bigtrace/v1/TraceSources.ts';
import type { Long } from '@grpc/proto-loader';

export interface EstimateResponseInput {
  'sources'?: (_bigtrace_v1_TraceSourcesInput | null);
  /**
   * traces whose worker could not be asked
   */
  'unknown'?: (number | string | Long);
}

export interface EstimateResponse {
  'sources': (_bigtrace_v1_TraceSources | null);
  /**
   * traces whose worker could not be asked
   */
  'unknown': (number);
}
