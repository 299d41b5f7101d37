// Original file: externalscaler.proto

import type { Long } from '@grpc/proto-loader';

export interface MetricValueInput {
  'metricName'?: (string);
  /**
   * for KEDA before 2.10
   */
  'metricValue'?: (number | string | Long);
  'metricValueFloat'?: (number | string);
}

export interface MetricValue {
  'metricName': (string);
  /**
   * for KEDA before 2.10
   */
  'metricValue': (number);
  'metricValueFloat': (number);
}
