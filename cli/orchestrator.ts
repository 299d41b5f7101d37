/** The orchestrator that a command asks. */
import * as grpc from '@grpc/grpc-js';
import { Option } from 'commander';
import { BigtraceError } from '../common/errors.ts';
import { fromServiceError } from '../common/grpc-errors.ts';
import { hostPort } from '../common/options.ts';
import type { OrchestratorStatus } from '../proto/messages.ts';
import { bigtraceOrchestrator, clientClass, GRPC_OPTIONS } from '../proto/services.ts';

export function orchestratorOption(): Option {
  return new Option('--orchestrator <host:port>', 'the orchestrator to ask')
    .env('BIGTRACE_ORCHESTRATOR')
    .default('127.0.0.1:5051')
    .argParser(hostPort);
}

const UNARY_MS_MAX = 10_000;

/** Pings find an orchestrator that hangs, or a network that swallows everything. */
const KEEPALIVE: grpc.ChannelOptions = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
};

export function connectOrchestrator(address: string): InstanceType<grpc.ServiceClientConstructor> {
  const Client = clientClass(bigtraceOrchestrator);
  return new Client(address, grpc.credentials.createInsecure(), { ...GRPC_OPTIONS, ...KEEPALIVE });
}

/** @throws orchestrator_unreachable */
export function askStatus(client: grpc.Client): Promise<OrchestratorStatus> {
  return unary(client, 'Status', {});
}

/** A call with one answer. @throws BigtraceError as the orchestrator says it */
export function unary<T>(client: grpc.Client, method: string, request: object): Promise<T> {
  const call = (client as unknown as Record<string, UnaryMethod<T> | undefined>)[method];
  return new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + UNARY_MS_MAX };
    call?.call(client, request, options, (error, answer) => {
      if (error === null && answer !== undefined) resolve(answer);
      else reject(fromServiceError(error, 'orchestrator_unreachable'));
    });
  });
}

type UnaryMethod<T> = (
  request: object,
  options: grpc.CallOptions,
  done: (error: grpc.ServiceError | null, answer?: T) => void,
) => void;

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
