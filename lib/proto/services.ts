/** The gRPC services, loaded from the `.proto` files in the bundle. */
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import bigtraceProto from './bigtrace.proto?raw';
import { checkedService } from './checked.ts';
import externalscalerProto from './externalscaler.proto?raw';
import type { ProtoGrpcType as BigtracePackage } from './generated/bigtrace.ts';
import type { ProtoGrpcType as ScalerPackage } from './generated/externalscaler.ts';
import type { ProtoGrpcType as PerfettoPackage } from './generated/perfetto.ts';
import { LOADER_OPTIONS } from './loader-options.mjs';
import perfettoProto from './perfetto.proto?raw';

export { GRPC_OPTIONS } from './channel-options.ts';

/** The service whose messages have checksums. */
const CHECKED = 'bigtrace.v1.Worker';

const root = new protobuf.Root();

function load(): protoLoader.PackageDefinition {
  for (const text of [perfettoProto, bigtraceProto, externalscalerProto])
    protobuf.parse(text, root);
  return protoLoader.fromJSON(root.toJSON(), LOADER_OPTIONS);
}

/** Definitions of all services and messages, by their full names. */
export const DEFINITIONS = load();
DEFINITIONS[CHECKED] = checkedService(serviceNamed(CHECKED), (name) =>
  root.lookupType(`bigtrace.v1.${name}`),
);

function serviceNamed(name: string): protoLoader.ServiceDefinition {
  const definition = DEFINITIONS[name];
  if (definition === undefined || 'format' in definition) throw new Error(`no service ${name}`);
  return definition;
}

// The generated types describe what the `.proto` files define; TypeScript cannot know that these were loaded.
const packages = grpc.loadPackageDefinition(DEFINITIONS) as unknown as BigtracePackage &
  PerfettoPackage &
  ScalerPackage;

/** The client class of each service; its `service` is the definition that a server implements. */
export const { Orchestrator: BigtraceOrchestrator, Worker: BigtraceWorker } = packages.bigtrace.v1;
export const { BigtraceOrchestrator: PerfettoOrchestrator, BigtraceWorker: PerfettoWorker } =
  packages.perfetto.protos;
export const { ExternalScaler } = packages.externalscaler;
