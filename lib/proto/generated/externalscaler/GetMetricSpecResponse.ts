// Original file: externalscaler.proto

import type { MetricSpecInput as _externalscaler_MetricSpecInput, MetricSpec as _externalscaler_MetricSpec } from '../externalscaler/MetricSpec.ts';

export interface GetMetricSpecResponseInput {
  'metricSpecs'?: (_externalscaler_MetricSpecInput)[];
}

export interface GetMetricSpecResponse {
  'metricSpecs': (_externalscaler_MetricSpec)[];
}
