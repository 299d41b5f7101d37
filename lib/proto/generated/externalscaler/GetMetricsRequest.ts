// Original file: externalscaler.proto

import type { ScaledObjectRefInput as _externalscaler_ScaledObjectRefInput, ScaledObjectRef as _externalscaler_ScaledObjectRef } from '../externalscaler/ScaledObjectRef.ts';

export interface GetMetricsRequestInput {
  'scaledObjectRef'?: (_externalscaler_ScaledObjectRefInput | null);
  'metricName'?: (string);
}

export interface GetMetricsRequest {
  'scaledObjectRef': (_externalscaler_ScaledObjectRef | null);
  'metricName': (string);
}
