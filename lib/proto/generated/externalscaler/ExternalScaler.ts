// Original file: externalscaler.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { GetMetricSpecResponseInput as _externalscaler_GetMetricSpecResponseInput, GetMetricSpecResponse as _externalscaler_GetMetricSpecResponse } from '../externalscaler/GetMetricSpecResponse.ts';
import type { GetMetricsRequestInput as _externalscaler_GetMetricsRequestInput, GetMetricsRequest as _externalscaler_GetMetricsRequest } from '../externalscaler/GetMetricsRequest.ts';
import type { GetMetricsResponseInput as _externalscaler_GetMetricsResponseInput, GetMetricsResponse as _externalscaler_GetMetricsResponse } from '../externalscaler/GetMetricsResponse.ts';
import type { IsActiveResponseInput as _externalscaler_IsActiveResponseInput, IsActiveResponse as _externalscaler_IsActiveResponse } from '../externalscaler/IsActiveResponse.ts';
import type { ScaledObjectRefInput as _externalscaler_ScaledObjectRefInput, ScaledObjectRef as _externalscaler_ScaledObjectRef } from '../externalscaler/ScaledObjectRef.ts';

export interface ExternalScalerClient extends grpc.Client {
  /**
   * The metrics, and what one replica should have of each.
   */
  GetMetricSpec(argument: _externalscaler_ScaledObjectRefInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_GetMetricSpecResponse>): grpc.ClientUnaryCall;
  GetMetricSpec(argument: _externalscaler_ScaledObjectRefInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_externalscaler_GetMetricSpecResponse>): grpc.ClientUnaryCall;
  GetMetricSpec(argument: _externalscaler_ScaledObjectRefInput, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_GetMetricSpecResponse>): grpc.ClientUnaryCall;
  GetMetricSpec(argument: _externalscaler_ScaledObjectRefInput, callback: grpc.requestCallback<_externalscaler_GetMetricSpecResponse>): grpc.ClientUnaryCall;
  /**
   * The metrics, and what one replica should have of each.
   */
  getMetricSpec(argument: _externalscaler_ScaledObjectRefInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_GetMetricSpecResponse>): grpc.ClientUnaryCall;
  getMetricSpec(argument: _externalscaler_ScaledObjectRefInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_externalscaler_GetMetricSpecResponse>): grpc.ClientUnaryCall;
  getMetricSpec(argument: _externalscaler_ScaledObjectRefInput, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_GetMetricSpecResponse>): grpc.ClientUnaryCall;
  getMetricSpec(argument: _externalscaler_ScaledObjectRefInput, callback: grpc.requestCallback<_externalscaler_GetMetricSpecResponse>): grpc.ClientUnaryCall;
  
  GetMetrics(argument: _externalscaler_GetMetricsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_GetMetricsResponse>): grpc.ClientUnaryCall;
  GetMetrics(argument: _externalscaler_GetMetricsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_externalscaler_GetMetricsResponse>): grpc.ClientUnaryCall;
  GetMetrics(argument: _externalscaler_GetMetricsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_GetMetricsResponse>): grpc.ClientUnaryCall;
  GetMetrics(argument: _externalscaler_GetMetricsRequestInput, callback: grpc.requestCallback<_externalscaler_GetMetricsResponse>): grpc.ClientUnaryCall;
  getMetrics(argument: _externalscaler_GetMetricsRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_GetMetricsResponse>): grpc.ClientUnaryCall;
  getMetrics(argument: _externalscaler_GetMetricsRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_externalscaler_GetMetricsResponse>): grpc.ClientUnaryCall;
  getMetrics(argument: _externalscaler_GetMetricsRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_GetMetricsResponse>): grpc.ClientUnaryCall;
  getMetrics(argument: _externalscaler_GetMetricsRequestInput, callback: grpc.requestCallback<_externalscaler_GetMetricsResponse>): grpc.ClientUnaryCall;
  
  /**
   * Whether the Deployment needs at least one replica.
   */
  IsActive(argument: _externalscaler_ScaledObjectRefInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_IsActiveResponse>): grpc.ClientUnaryCall;
  IsActive(argument: _externalscaler_ScaledObjectRefInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_externalscaler_IsActiveResponse>): grpc.ClientUnaryCall;
  IsActive(argument: _externalscaler_ScaledObjectRefInput, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_IsActiveResponse>): grpc.ClientUnaryCall;
  IsActive(argument: _externalscaler_ScaledObjectRefInput, callback: grpc.requestCallback<_externalscaler_IsActiveResponse>): grpc.ClientUnaryCall;
  /**
   * Whether the Deployment needs at least one replica.
   */
  isActive(argument: _externalscaler_ScaledObjectRefInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_IsActiveResponse>): grpc.ClientUnaryCall;
  isActive(argument: _externalscaler_ScaledObjectRefInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_externalscaler_IsActiveResponse>): grpc.ClientUnaryCall;
  isActive(argument: _externalscaler_ScaledObjectRefInput, options: grpc.CallOptions, callback: grpc.requestCallback<_externalscaler_IsActiveResponse>): grpc.ClientUnaryCall;
  isActive(argument: _externalscaler_ScaledObjectRefInput, callback: grpc.requestCallback<_externalscaler_IsActiveResponse>): grpc.ClientUnaryCall;
  
  /**
   * The same, at once and after each change (trigger `external-push`).
   */
  StreamIsActive(argument: _externalscaler_ScaledObjectRefInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_externalscaler_IsActiveResponse>;
  StreamIsActive(argument: _externalscaler_ScaledObjectRefInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_externalscaler_IsActiveResponse>;
  /**
   * The same, at once and after each change (trigger `external-push`).
   */
  streamIsActive(argument: _externalscaler_ScaledObjectRefInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_externalscaler_IsActiveResponse>;
  streamIsActive(argument: _externalscaler_ScaledObjectRefInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_externalscaler_IsActiveResponse>;
  
}

export interface ExternalScalerHandlers extends grpc.UntypedServiceImplementation {
  /**
   * The metrics, and what one replica should have of each.
   */
  GetMetricSpec: grpc.handleUnaryCall<_externalscaler_ScaledObjectRef, _externalscaler_GetMetricSpecResponseInput>;
  
  GetMetrics: grpc.handleUnaryCall<_externalscaler_GetMetricsRequest, _externalscaler_GetMetricsResponseInput>;
  
  /**
   * Whether the Deployment needs at least one replica.
   */
  IsActive: grpc.handleUnaryCall<_externalscaler_ScaledObjectRef, _externalscaler_IsActiveResponseInput>;
  
  /**
   * The same, at once and after each change (trigger `external-push`).
   */
  StreamIsActive: grpc.handleServerStreamingCall<_externalscaler_ScaledObjectRef, _externalscaler_IsActiveResponseInput>;
  
}

export interface ExternalScalerDefinition extends grpc.ServiceDefinition {
  GetMetricSpec: MethodDefinition<_externalscaler_ScaledObjectRefInput, _externalscaler_GetMetricSpecResponseInput, _externalscaler_ScaledObjectRef, _externalscaler_GetMetricSpecResponse>
  GetMetrics: MethodDefinition<_externalscaler_GetMetricsRequestInput, _externalscaler_GetMetricsResponseInput, _externalscaler_GetMetricsRequest, _externalscaler_GetMetricsResponse>
  IsActive: MethodDefinition<_externalscaler_ScaledObjectRefInput, _externalscaler_IsActiveResponseInput, _externalscaler_ScaledObjectRef, _externalscaler_IsActiveResponse>
  StreamIsActive: MethodDefinition<_externalscaler_ScaledObjectRefInput, _externalscaler_IsActiveResponseInput, _externalscaler_ScaledObjectRef, _externalscaler_IsActiveResponse>
}
