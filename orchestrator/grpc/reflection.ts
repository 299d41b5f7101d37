/** gRPC server reflection, from which grpcurl and similar clients learn the services and their messages. */
import type * as grpc from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import descriptor, { type IFileDescriptorProto } from 'protobufjs/ext/descriptor/index.js';
import { DEFINITIONS } from '../../lib/proto/services.ts';

/** The services that the orchestrator serves. */
const SERVICES = ['bigtrace.v1.Orchestrator', 'perfetto.protos.BigtraceOrchestrator'];

/** Adds the reflection service to `server`, which requires the same credentials for it as for the others. */
export function addReflection(server: grpc.Server): void {
  const definitions = Object.fromEntries(
    Object.entries(DEFINITIONS).map(([name, definition]) => [
      name,
      Array.isArray(definition['fileDescriptorProtos'])
        ? { ...definition, fileDescriptorProtos: definition['fileDescriptorProtos'].map(named) }
        : definition,
    ]),
  );
  new ReflectionService(definitions as typeof DEFINITIONS, { services: SERVICES }).addToServer(
    server,
  );
}

/**
 * Names the entries of maps as protoc does: CountersEntry for a map `counters`. protobufjs names them Counters, which
 * the parser of grpcurl rejects.
 */
function named(bytes: Buffer): Buffer {
  const file = descriptor.FileDescriptorProto.decode(bytes) as IFileDescriptorProto;
  for (const { nestedType, field } of file.messageType ?? [])
    for (const entry of nestedType ?? []) {
      if (entry.options?.mapEntry !== true) continue;
      const name = `${entry.name}Entry`;
      for (const one of field ?? []) if (one.typeName === entry.name) one.typeName = name;
      entry.name = name;
    }
  return Buffer.from(descriptor.FileDescriptorProto.encode(file).finish());
}
