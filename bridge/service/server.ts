/** The HTTP server of the resident bridge. One gRPC connection to the orchestrator serves all requests. */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type HostCheck, REFUSED_HOST } from '../../lib/common/network/allowed-host.ts';
import { withPort } from '../../lib/common/network/host-port.ts';
import { httpServer } from '../../lib/common/network/http-server.ts';
import { listening } from '../../lib/common/network/listening.ts';
import { bearerCheck, hostCheckOf } from '../../lib/common/network/server-security.ts';
import { createProcessLogger } from '../../lib/common/observability/log.ts';
import { printReady, untilStopped } from '../../lib/common/service-process.ts';
import { BridgeClient, connector } from '../grpc/bridge-client.ts';
import { answer } from './answer.ts';
import type { BridgeConfig } from './config.ts';
import { SharedQueries } from './shares.ts';

/** Bound of a request: script and trace addresses, in base64. */
const HEADER_BYTES_MAX = 8 * 2 ** 20;
/** The headers are read before the token is checked. */
const CONNECTIONS_MAX = 512;

/** Answers without a token. */
const HEALTH = '/healthz';

const SERVER: ServerOptions = {
  maxHeaderSize: HEADER_BYTES_MAX,
  // ClickHouse closes idle connections after 30 s at most. If the bridge did first, it could meet a request.
  keepAliveTimeout: 300_000,
};

export interface BridgeServer {
  /** host:port */
  address: string;
  /** URL of the service. */
  http: string;
  drain(): Promise<void>;
  stop(): void;
}

/** Resolves when the service has stopped. */
export async function serve(config: BridgeConfig): Promise<void> {
  const log = createProcessLogger('bridge', config.logLevel);
  const server = await startBridgeServer(config, (err) => log.error({ err }, 'request failed'));
  const { address, http } = server;
  printReady({ service: 'bridge', address, http }, config.json);
  await untilStopped(server);
}

/**
 * @param onBug receives errors that are no answer to a request
 * @throws invalid_option if it cannot listen, or a file of the configuration cannot be read
 */
export async function startBridgeServer(
  { socket, security, orchestrator, orchestratorCredentials, tables, drainMs }: BridgeConfig,
  onBug: (error: unknown) => void,
): Promise<BridgeServer> {
  const connect = connector(orchestrator, '--orchestrator', orchestratorCredentials);
  const connection = connect.connect();
  const shares = new SharedQueries(() => new BridgeClient(connect, connection));
  const isAllowed = hostCheckOf(security);
  const hasToken = bearerCheck(security) ?? (() => true);
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const refusal = refusalOf(request, isAllowed, hasToken);
    if (refusal !== undefined) refuse(response, ...refusal);
    else if (request.method === 'HEAD' || request.url === HEALTH) response.end();
    else {
      const client = new BridgeClient(connect, connection);
      const onFailure = (error: unknown): void => {
        onBug(error);
        response.destroy();
      };
      answer({ request, response, client, tables, shares })
        .catch(onFailure)
        .finally(() => client.close());
    }
  };
  const server = httpServer(security, SERVER, onRequest);
  server.maxConnections = CONNECTIONS_MAX;
  server.on('clientError', refuseMalformed);
  const address = withPort(socket, await listening(server, socket));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
    connection.close();
  };
  return {
    address,
    http: `${security.tls === undefined ? 'http' : 'https'}://${address}`,
    drain: () => drain(server, drainMs, stop),
    stop,
  };
}

/** Waits for running requests, at most `drainMs`. */
async function drain(server: Server, drainMs: number, stop: () => void): Promise<void> {
  const timeout = setTimeout(() => server.closeAllConnections(), drainMs);
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeIdleConnections();
  });
  clearTimeout(timeout);
  stop();
}

/** Returns the status and the reason, if the request is none of ClickHouse's. */
function refusalOf(
  { url, method, headers, socket }: IncomingMessage,
  isAllowed: HostCheck,
  hasToken: (authorization: string | undefined) => boolean,
): [number, string] | undefined {
  if (!isAllowed(headers.host, socket.localAddress)) return [403, `the host ${REFUSED_HOST}`];
  // Web pages send an Origin; ClickHouse does not.
  if (headers.origin !== undefined) return [403, 'web pages may not call this service'];
  if (url === HEALTH) return undefined;
  if (!hasToken(headers.authorization))
    return [401, 'the bearer token is missing or wrong (unauthenticated)'];
  if (url !== '/') return [404, 'there is only /'];
  return method === 'GET' || method === 'HEAD' ? undefined : [405, 'the method must be GET'];
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain' }).end(reason);
}

/** Answers a request that is no HTTP, or whose headers are too long. */
function refuseMalformed(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable) return;
  const isTooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const status = isTooLong ? '431 Request Header Fields Too Large' : '400 Bad Request';
  const text = isTooLong
    ? `the script and the trace addresses have more than ${HEADER_BYTES_MAX} bytes in base64 (limit_exceeded)`
    : 'malformed request';
  const head = `Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${text}`);
}
