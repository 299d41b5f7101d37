/** Asks the processes of the system whether they answer; how they are is not asked. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Client, credentials } from '@grpc/grpc-js';
import type { ClickHouseAddress } from '../announcement.ts';
import type { Ping } from './liveness.ts';

/** What the native protocol of ClickHouse answers to a client of another protocol, without a login or a log line. */
const HTTP_REQUEST = 'GET / HTTP/1.0\r\n\r\n';

/** `grpc.health.v1.HealthCheckRequest`, of the server as a whole: no fields. */
const EMPTY = Buffer.alloc(0);

/** gRPC's health protocol, at host:port. */
export function grpcPing(address: string): Ping {
  return async (signal) => {
    // A connection of its own: one that is shared would wait before it tries again.
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    const client = new Client(address, credentials.createInsecure(), options);
    try {
      await new Promise<void>((resolve, reject) => {
        const same = (bytes: Buffer): Buffer => bytes;
        const method = '/grpc.health.v1.Health/Check';
        const call = client.makeUnaryRequest(method, same, same, EMPTY, (error) =>
          error === null ? resolve() : reject(error),
        );
        signal.addEventListener('abort', () => call.cancel(), { once: true });
      });
    } finally {
      client.close();
    }
  };
}

export function clickHousePing({ http, tcp }: ClickHouseAddress): Ping {
  return async (signal) => {
    const answer = await fetch(`${http}/ping`, { signal, headers: { connection: 'close' } });
    await answer.text();
    if (tcp !== undefined) await nativePing(tcp, signal);
  };
}

async function nativePing(address: string, signal: AbortSignal): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connect(Number(port), hostname.replace(/^\[(.*)\]$/, '$1'));
  try {
    socket.write(HTTP_REQUEST);
    await once(socket, 'data', { signal });
  } finally {
    socket.destroy();
  }
}
