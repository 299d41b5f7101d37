// Original file: perfetto.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BigtraceQueryTraceArgsInput as _perfetto_protos_BigtraceQueryTraceArgsInput, BigtraceQueryTraceArgs as _perfetto_protos_BigtraceQueryTraceArgs } from '../../perfetto/protos/BigtraceQueryTraceArgs.ts';
import type { BigtraceQueryTraceResponseInput as _perfetto_protos_BigtraceQueryTraceResponseInput, BigtraceQueryTraceResponse as _perfetto_protos_BigtraceQueryTraceResponse } from '../../perfetto/protos/BigtraceQueryTraceResponse.ts';

export interface BigtraceWorkerClient extends grpc.Client {
  QueryTrace(argument: _perfetto_protos_BigtraceQueryTraceArgsInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_perfetto_protos_BigtraceQueryTraceResponse>): grpc.ClientUnaryCall;
  QueryTrace(argument: _perfetto_protos_BigtraceQueryTraceArgsInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_perfetto_protos_BigtraceQueryTraceResponse>): grpc.ClientUnaryCall;
  QueryTrace(argument: _perfetto_protos_BigtraceQueryTraceArgsInput, options: grpc.CallOptions, callback: grpc.requestCallback<_perfetto_protos_BigtraceQueryTraceResponse>): grpc.ClientUnaryCall;
  QueryTrace(argument: _perfetto_protos_BigtraceQueryTraceArgsInput, callback: grpc.requestCallback<_perfetto_protos_BigtraceQueryTraceResponse>): grpc.ClientUnaryCall;
  queryTrace(argument: _perfetto_protos_BigtraceQueryTraceArgsInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_perfetto_protos_BigtraceQueryTraceResponse>): grpc.ClientUnaryCall;
  queryTrace(argument: _perfetto_protos_BigtraceQueryTraceArgsInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_perfetto_protos_BigtraceQueryTraceResponse>): grpc.ClientUnaryCall;
  queryTrace(argument: _perfetto_protos_BigtraceQueryTraceArgsInput, options: grpc.CallOptions, callback: grpc.requestCallback<_perfetto_protos_BigtraceQueryTraceResponse>): grpc.ClientUnaryCall;
  queryTrace(argument: _perfetto_protos_BigtraceQueryTraceArgsInput, callback: grpc.requestCallback<_perfetto_protos_BigtraceQueryTraceResponse>): grpc.ClientUnaryCall;
  
}

export interface BigtraceWorkerHandlers extends grpc.UntypedServiceImplementation {
  QueryTrace: grpc.handleUnaryCall<_perfetto_protos_BigtraceQueryTraceArgs, _perfetto_protos_BigtraceQueryTraceResponseInput>;
  
}

export interface BigtraceWorkerDefinition extends grpc.ServiceDefinition {
  QueryTrace: MethodDefinition<_perfetto_protos_BigtraceQueryTraceArgsInput, _perfetto_protos_BigtraceQueryTraceResponseInput, _perfetto_protos_BigtraceQueryTraceArgs, _perfetto_protos_BigtraceQueryTraceResponse>
}
