// Original file: externalscaler.proto

import type { Long } from '@grpc/proto-loader';

export interface MetricSpecInput {
  'metricName'?: (string);
  /**
   * for KEDA before 2.10
   */
  'targetSize'?: (number | string | Long);
  'targetSizeFloat'?: (number | string);
}

export interface MetricSpec {
  'metricName': (string);
  /**
   * for KEDA before 2.10
   */
  'targetSize': (number);
  'targetSizeFloat': (number);
}
