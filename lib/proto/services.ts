/** The gRPC services, loaded from the `.proto` files in the bundle. */
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import bigtraceProto from './bigtrace.proto?raw';
import { checkedService } from './checked.ts';
import perfettoProto from './perfetto.proto?raw';
import { RECEIVE_WINDOW_BYTES } from './window.ts';

/** Both sides allow messages up to 2 GiB - 1, as upstream does. */
const MESSAGE_BYTES_MAX = 2 ** 31 - 1;

/** Channel and server options that every client and server of the project uses. */
export const GRPC_OPTIONS: grpc.ChannelOptions = {
  'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
  'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
  'grpc-node.flow_control_window': RECEIVE_WINDOW_BYTES,
};

const root = new protobuf.Root();

function load(): protoLoader.PackageDefinition {
  for (const text of [perfettoProto, bigtraceProto]) protobuf.parse(text, root);
  return protoLoader.fromJSON(root.toJSON(), {
    longs: Number, // counters and sizes: below 2^53
    enums: String,
    defaults: true,
    arrays: true,
    oneofs: true,
  });
}

const definitions = load();

function service(name: string): grpc.ServiceDefinition {
  const definition = definitions[name];
  if (definition === undefined || 'format' in definition) throw new Error(`no service ${name}`);
  return definition;
}

export const perfettoOrchestrator = service('perfetto.protos.BigtraceOrchestrator');
export const perfettoWorker = service('perfetto.protos.BigtraceWorker');
export const bigtraceOrchestrator = service('bigtrace.v1.Orchestrator');
export const bigtraceWorker = checkedService(service('bigtrace.v1.Worker'), (name) =>
  root.lookupType(`bigtrace.v1.${name}`),
);

/** Returns the untyped client class of one of the services above; `messages.ts` has the types of its methods. */
export function clientClass(definition: grpc.ServiceDefinition): grpc.ServiceClientConstructor {
  return grpc.makeClientConstructor(definition, 'bigtrace');
}
