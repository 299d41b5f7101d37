/** For tests: a gRPC server of messages of bytes, and calls to it. */
import * as grpc from '@grpc/grpc-js';
import { expect } from 'vitest';
import type { ClientCredentials } from '../../lib/common/network/client-credentials.ts';
import { GRPC_OPTIONS } from '../../lib/proto/channel-options.ts';
import { Call } from './call.ts';
import { CallError } from './call-error.ts';
import { Channel, channelConfig } from './channel.ts';
import { parseTarget } from './target.ts';

export const PATH = '/test.Bytes/Talk';

const same = (bytes: Buffer): Buffer => bytes;

const SERVICE: grpc.ServiceDefinition = {
  Talk: {
    ...{ path: PATH, requestStream: true, responseStream: true },
    ...{ requestSerialize: same, requestDeserialize: same },
    ...{ responseSerialize: same, responseDeserialize: same },
  },
};

export type Talk = grpc.ServerDuplexStream<Buffer, Buffer>;

export interface BytesServer {
  server: grpc.Server;
  address: string;
}

export async function startBytesServer(
  talk: (call: Talk) => void,
  credentials = grpc.ServerCredentials.createInsecure(),
  address = '127.0.0.1:0',
): Promise<BytesServer> {
  const server = new grpc.Server(GRPC_OPTIONS);
  server.addService(SERVICE, { Talk: talk });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { server, address: address.replace(/\d+$/, String(port)) };
}

export function channelTo(address: string, credentials: ClientCredentials = {}): Channel {
  return new Channel(channelConfig(parseTarget(address, '--orchestrator'), credentials));
}

/** Starts a call that sends these messages. */
export function talk(channel: Channel, ...messages: (string | Buffer)[]): Call {
  const call = new Call(channel, PATH);
  for (const message of messages) call.write(Buffer.from(message));
  call.end();
  return call;
}

/** Returns the messages as texts, and the error that followed them. */
export async function outcome(call: Call): Promise<{ texts: string[]; error?: CallError }> {
  const texts: string[] = [];
  try {
    for await (const message of call) texts.push(message.toString());
    return { texts };
  } catch (error) {
    expect(error).toBeInstanceOf(CallError);
    return { texts, error: error as CallError };
  }
}

/** Returns the status code of a call that fails without a message, and the details. */
export async function failure(call: Call): Promise<[number, string]> {
  const { texts, error } = await outcome(call);
  expect(texts).toEqual([]);
  expect(error).toBeDefined();
  return [error?.code ?? 0, error?.details ?? ''];
}
