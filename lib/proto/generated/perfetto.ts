import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BigtraceOrchestratorClient as _perfetto_protos_BigtraceOrchestratorClient, BigtraceOrchestratorDefinition as _perfetto_protos_BigtraceOrchestratorDefinition } from './perfetto/protos/BigtraceOrchestrator.ts';
import type { BigtraceQueryArgsInput as _perfetto_protos_BigtraceQueryArgsInput, BigtraceQueryArgs as _perfetto_protos_BigtraceQueryArgs } from './perfetto/protos/BigtraceQueryArgs.ts';
import type { BigtraceQueryResponseInput as _perfetto_protos_BigtraceQueryResponseInput, BigtraceQueryResponse as _perfetto_protos_BigtraceQueryResponse } from './perfetto/protos/BigtraceQueryResponse.ts';
import type { BigtraceQueryTraceArgsInput as _perfetto_protos_BigtraceQueryTraceArgsInput, BigtraceQueryTraceArgs as _perfetto_protos_BigtraceQueryTraceArgs } from './perfetto/protos/BigtraceQueryTraceArgs.ts';
import type { BigtraceQueryTraceResponseInput as _perfetto_protos_BigtraceQueryTraceResponseInput, BigtraceQueryTraceResponse as _perfetto_protos_BigtraceQueryTraceResponse } from './perfetto/protos/BigtraceQueryTraceResponse.ts';
import type { BigtraceWorkerClient as _perfetto_protos_BigtraceWorkerClient, BigtraceWorkerDefinition as _perfetto_protos_BigtraceWorkerDefinition } from './perfetto/protos/BigtraceWorker.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  perfetto: {
    protos: {
      BigtraceOrchestrator: SubtypeConstructor<typeof grpc.Client, _perfetto_protos_BigtraceOrchestratorClient> & { service: _perfetto_protos_BigtraceOrchestratorDefinition }
      BigtraceQueryArgs: MessageTypeDefinition<_perfetto_protos_BigtraceQueryArgsInput, _perfetto_protos_BigtraceQueryArgs>
      BigtraceQueryResponse: MessageTypeDefinition<_perfetto_protos_BigtraceQueryResponseInput, _perfetto_protos_BigtraceQueryResponse>
      BigtraceQueryTraceArgs: MessageTypeDefinition<_perfetto_protos_BigtraceQueryTraceArgsInput, _perfetto_protos_BigtraceQueryTraceArgs>
      BigtraceQueryTraceResponse: MessageTypeDefinition<_perfetto_protos_BigtraceQueryTraceResponseInput, _perfetto_protos_BigtraceQueryTraceResponse>
      BigtraceWorker: SubtypeConstructor<typeof grpc.Client, _perfetto_protos_BigtraceWorkerClient> & { service: _perfetto_protos_BigtraceWorkerDefinition }
    }
  }
}

