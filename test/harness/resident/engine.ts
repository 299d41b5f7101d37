/** Starts what clickhouse/testing/engine.ts starts, with a resident bridge in front of a stand-in. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type PlainClickHouse, startPlainClickHouse } from '../../../clickhouse/testing/plain.ts';
import { install, startBridge } from './resident.ts';
import { startStandIn } from './stand-in.ts';

export interface ResidentEngine {
  clickhouse: PlainClickHouse;
  /** Directory that scripts may write to. */
  scratch: string;
  /** Whether the client of this query's column finding has left; undefined: there was none. */
  hasLeft(queryId: string): boolean | undefined;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** @param directory of this test */
export async function startResidentEngine(directory: string): Promise<ResidentEngine> {
  const [tokenFile, passwordFile] = [join(directory, 'token'), join(directory, 'password')];
  const scratch = join(directory, 'scratch');
  mkdirSync(scratch);
  writeFileSync(tokenFile, crypto.randomUUID(), { mode: 0o600 });
  const clickhouse = await startPlainClickHouse(directory);
  writeFileSync(passwordFile, clickhouse.password, { mode: 0o600 });
  const standIn = await startStandIn(() => proxy.cut());
  const bridge = await startBridge(standIn.address, tokenFile, [
    ...['--clickhouse', clickhouse.url, '--clickhouse-user', 'admin'],
    ...['--clickhouse-password-file', passwordFile],
  ]);
  const proxy = await startProxy(Number(new URL(bridge.url).port));
  const stop = async (): Promise<void> => {
    proxy.stop();
    await bridge.stop();
    standIn.stop();
    await clickhouse.stop();
  };
  try {
    const flags = ['--bridge', proxy.url, '--bridge-token-file', tokenFile];
    await install(clickhouse.url, clickhouse.password, flags);
  } catch (error) {
    await stop();
    throw error;
  }
  const restart = async (): Promise<void> => {
    clickhouse.kill();
    await clickhouse.restart();
  };
  return { clickhouse, scratch, hasLeft: standIn.hasLeft, restart, stop };
}

interface Proxy {
  url: string;
  /** Closes all connections at once, as the kernel does when a process dies. */
  cut(): void;
  stop(): void;
}

async function startProxy(to: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(to, '127.0.0.1');
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on('error', () => {}); // the other side has left
    }
    socket.on('close', () => sockets.delete(socket) && onward.destroy());
    onward.on('close', () => sockets.delete(onward) && socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const stop = (): void => {
    server.close();
    cut();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cut, stop };
}
