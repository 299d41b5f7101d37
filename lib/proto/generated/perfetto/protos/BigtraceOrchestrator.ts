// Original file: perfetto.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BigtraceQueryArgsInput as _perfetto_protos_BigtraceQueryArgsInput, BigtraceQueryArgs as _perfetto_protos_BigtraceQueryArgs } from '../../perfetto/protos/BigtraceQueryArgs.ts';
import type { BigtraceQueryResponseInput as _perfetto_protos_BigtraceQueryResponseInput, BigtraceQueryResponse as _perfetto_protos_BigtraceQueryResponse } from '../../perfetto/protos/BigtraceQueryResponse.ts';

export interface BigtraceOrchestratorClient extends grpc.Client {
  Query(argument: _perfetto_protos_BigtraceQueryArgsInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_perfetto_protos_BigtraceQueryResponse>;
  Query(argument: _perfetto_protos_BigtraceQueryArgsInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_perfetto_protos_BigtraceQueryResponse>;
  query(argument: _perfetto_protos_BigtraceQueryArgsInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_perfetto_protos_BigtraceQueryResponse>;
  query(argument: _perfetto_protos_BigtraceQueryArgsInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_perfetto_protos_BigtraceQueryResponse>;
  
}

export interface BigtraceOrchestratorHandlers extends grpc.UntypedServiceImplementation {
  Query: grpc.handleServerStreamingCall<_perfetto_protos_BigtraceQueryArgs, _perfetto_protos_BigtraceQueryResponseInput>;
  
}

export interface BigtraceOrchestratorDefinition extends grpc.ServiceDefinition {
  Query: MethodDefinition<_perfetto_protos_BigtraceQueryArgsInput, _perfetto_protos_BigtraceQueryResponseInput, _perfetto_protos_BigtraceQueryArgs, _perfetto_protos_BigtraceQueryResponse>
}
