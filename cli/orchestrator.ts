/** The orchestrator that a command asks. */
import * as grpc from '@grpc/grpc-js';
import { Option } from 'commander';
import { BigtraceError } from '../common/errors.ts';
import { hostPort } from '../common/options.ts';
import { bigtraceOrchestrator, clientClass, GRPC_OPTIONS } from '../proto/services.ts';

export function orchestratorOption(): Option {
  return new Option('--orchestrator <host:port>', 'the orchestrator to ask')
    .env('BIGTRACE_ORCHESTRATOR')
    .default('127.0.0.1:5051')
    .argParser(hostPort);
}

/** Pings find an orchestrator that hangs, or a network that swallows everything. */
const KEEPALIVE: grpc.ChannelOptions = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
};

export function connectOrchestrator(address: string): InstanceType<grpc.ServiceClientConstructor> {
  const Client = clientClass(bigtraceOrchestrator);
  return new Client(address, grpc.credentials.createInsecure(), { ...GRPC_OPTIONS, ...KEEPALIVE });
}

/** gRPC's own text for a connection that fails does not say to whom. */
export function unreachableOr(thrown: unknown, address: string): unknown {
  if (!(thrown instanceof BigtraceError) || thrown.code !== 'orchestrator_unreachable')
    return thrown;
  return new BigtraceError(
    thrown.code,
    `the orchestrator at ${address} cannot be reached (${thrown.detail}); --orchestrator names another`,
    { cause: thrown },
  );
}
