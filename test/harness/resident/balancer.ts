/**
 * A proxy in front of resident bridges, as docs/deploy/own-clickhouse.md describes it: requests of the same query reach
 * the same bridge.
 */
import { hash } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** ClickHouse closes idle connections after 30 s. If the proxy did first, it could meet a request. */
const KEEP_ALIVE_MS = 60_000;

/** Headers about one connection, not about the answer. */
const OF_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding'];

export interface Balancer {
  url: string;
  /** Shares that each bridge was asked for. */
  shares: number[];
  stop(): void;
}

/** @param bridges their URLs */
export async function startBalancer(bridges: string[]): Promise<Balancer> {
  const shares = bridges.map(() => 0);
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const query = request.headers['x-bigtrace-query'];
    const nth = query === undefined ? 0 : bridgeOf(String(query), bridges.length);
    if (query !== undefined) shares[nth] = (shares[nth] ?? 0) + 1;
    forward(request, response, bridges[nth] ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, shares, stop };
}

function bridgeOf(query: string, bridges: number): number {
  return Number.parseInt(hash('sha256', query, 'hex').slice(0, 8), 16) % bridges;
}

function forward({ method, headers }: IncomingMessage, response: ServerResponse, to: string): void {
  const onward = httpRequest(to, { method, headers: { ...headers, host: new URL(to).host } });
  const end = (): void => {
    onward.destroy();
    response.destroy();
  };
  onward.on('response', (answer) => {
    const ofAnswer = Object.entries(answer.headers).filter(
      ([name]) => !OF_CONNECTION.includes(name),
    );
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(ofAnswer));
    answer.pipe(response);
    answer.on('error', end);
  });
  onward.on('error', end);
  response.on('close', () => onward.destroy());
  onward.end();
}
