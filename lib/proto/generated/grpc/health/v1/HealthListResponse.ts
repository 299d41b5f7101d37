// Original file: health.proto

import type { HealthCheckResponseInput as _grpc_health_v1_HealthCheckResponseInput, HealthCheckResponse as _grpc_health_v1_HealthCheckResponse } from '../../../grpc/health/v1/HealthCheckResponse.ts';

export interface HealthListResponseInput {
  'statuses'?: ({[key: string]: _grpc_health_v1_HealthCheckResponseInput});
}

export interface HealthListResponse {
  'statuses': ({[key: string]: _grpc_health_v1_HealthCheckResponse});
}
