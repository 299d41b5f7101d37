/**
 * The gRPC services of the `.proto` files. Every process of a service loads them as it starts, so it neither parses the files nor
 * loads proto-loader, but behaves as if it did (services.test.ts).
 */
import * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition, ServiceDefinition } from '@grpc/proto-loader';
import protobuf from 'protobufjs/light.js';
import { checkedService } from './checked.ts';
import type { ProtoGrpcType as BigtracePackage } from './generated/bigtrace.ts';
import definitions from './generated/definitions.json' with { type: 'json' };
import type { ProtoGrpcType as ScalerPackage } from './generated/externalscaler.ts';
import type { ProtoGrpcType as HealthPackage } from './generated/health.ts';
import type { ProtoGrpcType as PerfettoPackage } from './generated/perfetto.ts';
import { LOADER_OPTIONS } from './loader-options.mjs';

export { GRPC_OPTIONS } from './channel-options.ts';

/** The service whose messages have checksums. */
const CHECKED = 'bigtrace.v1.Worker';

/** The contents of the `.proto` files. TypeScript infers a type of its own for them, to which the library's types do not apply. */
export const DEFINITIONS = definitions as unknown as protobuf.INamespace;

const root = protobuf.Root.fromJSON(DEFINITIONS).resolveAll();

/** What gRPC reads of a method. */
type Method = Omit<ServiceDefinition[string], 'options'>;

function messageType(type: protobuf.Type): MessageTypeDefinition<object, object> {
  return {
    format: 'Protocol Buffer 3 DescriptorProto',
    type: { name: type.name },
    fileDescriptorProtos: [],
    serialize: (value) => type.encode(type.fromObject(value)).finish() as Buffer,
    deserialize: (bytes) => type.toObject(type.decode(bytes), LOADER_OPTIONS),
  };
}

function methodOf(service: string, method: protobuf.Method): Method {
  const requestType = messageType(root.lookupType(method.requestType));
  const responseType = messageType(root.lookupType(method.responseType));
  return {
    path: `/${service}/${method.name}`,
    requestStream: method.requestStream === true,
    responseStream: method.responseStream === true,
    requestSerialize: requestType.serialize,
    requestDeserialize: requestType.deserialize,
    responseSerialize: responseType.serialize,
    responseDeserialize: responseType.deserialize,
    originalName: `${method.name.charAt(0).toLowerCase()}${method.name.slice(1)}`,
    requestType,
    responseType,
  };
}

/** Returns the definition of the service with this full name. */
export function serviceNamed(name: string): ServiceDefinition {
  const service = root.lookupService(name);
  const methods = service.methodsArray.map((method) => [method.name, methodOf(name, method)]);
  const definition: ServiceDefinition = Object.fromEntries(methods);
  if (name !== CHECKED) return definition;
  return checkedService(definition, (message) => root.lookupType(`bigtrace.v1.${message}`));
}

/**
 * Returns the client class of a service; its `service` is the definition that a server implements. The generated types describe what
 * the `.proto` files define; TypeScript cannot know that these were loaded.
 */
function clientOf<Class>(name: string): Class {
  return grpc.makeClientConstructor(serviceNamed(name), name) as unknown as Class;
}

type Ours = BigtracePackage['bigtrace']['v1'];
type Perfettos = PerfettoPackage['perfetto']['protos'];

export const BigtraceOrchestrator = clientOf<Ours['Orchestrator']>('bigtrace.v1.Orchestrator');
export const BigtraceWorker = clientOf<Ours['Worker']>(CHECKED);
export const PerfettoOrchestrator = clientOf<Perfettos['BigtraceOrchestrator']>(
  'perfetto.protos.BigtraceOrchestrator',
);
export const PerfettoWorker = clientOf<Perfettos['BigtraceWorker']>(
  'perfetto.protos.BigtraceWorker',
);
export const ExternalScaler = clientOf<ScalerPackage['externalscaler']['ExternalScaler']>(
  'externalscaler.ExternalScaler',
);
export const Health =
  clientOf<HealthPackage['grpc']['health']['v1']['Health']>('grpc.health.v1.Health');
