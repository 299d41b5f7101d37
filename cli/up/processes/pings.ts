/** Pings for the processes of the system. They test whether a process answers, not whether it is healthy. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Client, credentials } from '@grpc/grpc-js';
import type { ClickHouseAddress } from '../announcement.ts';
import type { Ping } from './liveness.ts';

/** ClickHouse's native protocol answers this request of another protocol without a login and without logging it. */
const HTTP_REQUEST = 'GET / HTTP/1.0\r\n\r\n';

/** An encoded `grpc.health.v1.HealthCheckRequest` without fields: it addresses the server as a whole. */
const EMPTY = Buffer.alloc(0);

/** Pings by gRPC's health protocol. @param address host:port */
export function grpcPing(address: string): Ping {
  return async (signal) => {
    // Use a separate connection: a shared one would back off before it reconnects.
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

/** Pings by a GET request; any response counts. */
export function httpPing(url: string): Ping {
  return async (signal) => {
    const response = await fetch(url, { signal, headers: { connection: 'close' } });
    await response.text();
  };
}

export function clickHousePing({ http, tcp }: ClickHouseAddress): Ping {
  return async (signal) => {
    await httpPing(`${http}/ping`)(signal);
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
