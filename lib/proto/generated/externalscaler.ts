import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ExternalScalerClient as _externalscaler_ExternalScalerClient, ExternalScalerDefinition as _externalscaler_ExternalScalerDefinition } from './externalscaler/ExternalScaler.ts';
import type { GetMetricSpecResponseInput as _externalscaler_GetMetricSpecResponseInput, GetMetricSpecResponse as _externalscaler_GetMetricSpecResponse } from './externalscaler/GetMetricSpecResponse.ts';
import type { GetMetricsRequestInput as _externalscaler_GetMetricsRequestInput, GetMetricsRequest as _externalscaler_GetMetricsRequest } from './externalscaler/GetMetricsRequest.ts';
import type { GetMetricsResponseInput as _externalscaler_GetMetricsResponseInput, GetMetricsResponse as _externalscaler_GetMetricsResponse } from './externalscaler/GetMetricsResponse.ts';
import type { IsActiveResponseInput as _externalscaler_IsActiveResponseInput, IsActiveResponse as _externalscaler_IsActiveResponse } from './externalscaler/IsActiveResponse.ts';
import type { MetricSpecInput as _externalscaler_MetricSpecInput, MetricSpec as _externalscaler_MetricSpec } from './externalscaler/MetricSpec.ts';
import type { MetricValueInput as _externalscaler_MetricValueInput, MetricValue as _externalscaler_MetricValue } from './externalscaler/MetricValue.ts';
import type { ScaledObjectRefInput as _externalscaler_ScaledObjectRefInput, ScaledObjectRef as _externalscaler_ScaledObjectRef } from './externalscaler/ScaledObjectRef.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  externalscaler: {
    ExternalScaler: SubtypeConstructor<typeof grpc.Client, _externalscaler_ExternalScalerClient> & { service: _externalscaler_ExternalScalerDefinition }
    GetMetricSpecResponse: MessageTypeDefinition<_externalscaler_GetMetricSpecResponseInput, _externalscaler_GetMetricSpecResponse>
    GetMetricsRequest: MessageTypeDefinition<_externalscaler_GetMetricsRequestInput, _externalscaler_GetMetricsRequest>
    GetMetricsResponse: MessageTypeDefinition<_externalscaler_GetMetricsResponseInput, _externalscaler_GetMetricsResponse>
    IsActiveResponse: MessageTypeDefinition<_externalscaler_IsActiveResponseInput, _externalscaler_IsActiveResponse>
    MetricSpec: MessageTypeDefinition<_externalscaler_MetricSpecInput, _externalscaler_MetricSpec>
    MetricValue: MessageTypeDefinition<_externalscaler_MetricValueInput, _externalscaler_MetricValue>
    ScaledObjectRef: MessageTypeDefinition<_externalscaler_ScaledObjectRefInput, _externalscaler_ScaledObjectRef>
  }
}

