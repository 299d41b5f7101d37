import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { RENEWED_CONNECTION } from './renewed-channel.ts';

const same = (bytes: Buffer): Buffer => bytes;

const endless: grpc.ServiceDefinition = {
  Run: {
    ...{ path: '/test.Endless/Run', requestStream: true, responseStream: true },
    ...{ requestSerialize: same, requestDeserialize: same },
    ...{ responseSerialize: same, responseDeserialize: same },
  },
};

type Call = grpc.ServerDuplexStream<Buffer, Buffer>;

/** More than Node's HTTP/2 server allows on one connection. */
const CANCELLED = 1100;
const AT_ONCE = 50;

test('cancelled calls do not end other calls of the client', async () => {
  const peers = new Set<string>();
  const server = new grpc.Server();
  server.addService(endless, {
    Run: (call: Call) => {
      peers.add(call.getPeer());
      call.on('data', (bytes: Buffer) => call.write(bytes));
      call.on('end', () => call.end());
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const credentials = grpc.credentials.createInsecure();
  const client = new grpc.Client(`127.0.0.1:${port}`, credentials, RENEWED_CONNECTION);
  const begin = () => client.makeBidiStreamRequest('/test.Endless/Run', same, same);
  const echo = async (call: ReturnType<typeof begin>): Promise<Buffer> => {
    call.write(Buffer.from('x'));
    const [bytes] = await once(call, 'data');
    return bytes;
  };
  const long = begin();
  expect(await echo(long)).toEqual(Buffer.from('x'));
  let left = CANCELLED;
  const abandon = async (): Promise<void> => {
    while (left-- > 0) {
      const call = begin();
      await echo(call);
      call.on('error', () => {}); // `once` would reject for it
      const status = new Promise((resolve) => call.on('status', resolve));
      call.cancel();
      await status;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, abandon));
  expect(await echo(long)).toEqual(Buffer.from('x'));
  expect(peers.size).toBe(3); // 500 cancelled calls each
  long.end();
  await once(long, 'end');
  client.close();
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve())); // when every connection is closed
});
