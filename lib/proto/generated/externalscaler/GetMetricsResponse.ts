// Original file: externalscaler.proto

import type { MetricValueInput as _externalscaler_MetricValueInput, MetricValue as _externalscaler_MetricValue } from '../externalscaler/MetricValue.ts';

export interface GetMetricsResponseInput {
  'metricValues'?: (_externalscaler_MetricValueInput)[];
}

export interface GetMetricsResponse {
  'metricValues': (_externalscaler_MetricValue)[];
}
