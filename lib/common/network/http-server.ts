/** Creates HTTP servers with the TLS of their configuration. */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import * as https from 'node:https';
import type { ServerSecurity } from '../options/server-security-options.ts';
import { RenewedTls, watchTls } from './tls/renewed-tls.ts';

/**
 * Returns a server with TLS if the configuration has it. New connections get the certificate that the files have now.
 * @throws invalid_option if a file cannot be read
 */
export function httpServer(
  { tls }: ServerSecurity,
  options: ServerOptions,
  onRequest: RequestListener,
  lookMs?: number,
): Server {
  if (tls === undefined) return createServer(options, onRequest);
  const files = new RenewedTls({ ca: tls.clientCa, cert: tls.cert, key: tls.key });
  const requestCert = tls.clientCa !== undefined;
  const server = https.createServer({ ...options, ...files.current, requestCert }, onRequest);
  const stop = watchTls(files, (next) => server.setSecureContext(next), lookMs);
  server.on('close', stop);
  return server;
}
