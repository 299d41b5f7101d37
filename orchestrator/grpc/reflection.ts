/** gRPC server reflection, from which grpcurl and similar clients learn the services and their messages. */
import type * as grpc from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { DEFINITIONS } from '../../lib/proto/services.ts';

/** The services that the orchestrator serves. */
const SERVICES = ['bigtrace.v1.Orchestrator', 'perfetto.protos.BigtraceOrchestrator'];

/** Adds the reflection service to `server`, which requires the same credentials for it as for the others. */
export function addReflection(server: grpc.Server): void {
  new ReflectionService(DEFINITIONS, { services: SERVICES }).addToServer(server);
}
