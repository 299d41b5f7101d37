/**
 * Bounds the time to connect. Where a network drops packets instead of refusing them, the kernel gives up only after
 * more than two minutes.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';

export const CONNECT_MS_MAX = 10_000;

/** `createConnection`, a documented method of an agent that Node's types lack. */
type Connect = (to: { host: string; port: number }, callback?: unknown) => Socket | undefined;

/** Returns an agent whose connections fail if they are not open after `connectMs`, including the lookup of the name. */
export function httpAgent(
  options: http.AgentOptions & { isTls: boolean; connectMs?: number },
): http.Agent {
  const { isTls, connectMs = CONNECT_MS_MAX, ...others } = options;
  const agent = isTls ? new https.Agent(others) : new http.Agent(others);
  const connect: Connect = Reflect.get(agent, 'createConnection').bind(agent);
  const createConnection: Connect = (to, callback) => {
    const socket = connect(to, callback);
    if (socket !== undefined) boundConnecting(socket, `${to.host}:${to.port}`, connectMs);
    return socket;
  };
  return Object.assign(agent, { createConnection });
}

function boundConnecting(socket: Socket, address: string, connectMs: number): void {
  if (!socket.connecting) return;
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection to ${address} within ${connectMs} ms`)),
    connectMs,
  );
  for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(timer));
}
