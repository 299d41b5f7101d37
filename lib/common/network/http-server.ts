/** Creates HTTP servers with the TLS of their configuration. */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import * as https from 'node:https';
import type { ServerSecurity } from '../options/server-security-options.ts';
import { file } from './secret-file.ts';

/** How often the files of the certificate are read again. */
const LOOK_MS = 10_000;

interface TlsFiles {
  cert: Buffer;
  key: Buffer;
  /** The CA of client certificates. */
  ca: Buffer | undefined;
}

/**
 * Returns a server with TLS if the configuration has it. New connections get the certificate that the files have now.
 * @throws invalid_option if a file cannot be read
 */
export function httpServer(
  { tls }: ServerSecurity,
  options: ServerOptions,
  onRequest: RequestListener,
  lookMs = LOOK_MS,
): Server {
  if (tls === undefined) return createServer(options, onRequest);
  const read = (): TlsFiles => ({
    cert: file(tls.cert),
    key: file(tls.key),
    ca: tls.clientCa === undefined ? undefined : file(tls.clientCa),
  });
  let current = read();
  const requestCert = current.ca !== undefined;
  const server = https.createServer({ ...options, ...current, requestCert }, onRequest);
  const timer = setInterval(() => {
    try {
      const next = read();
      if (isSame(current, next)) return;
      server.setSecureContext(next);
      current = next;
    } catch {
      // The files are being replaced: one is missing, or the key is that of the other certificate.
    }
  }, lookMs).unref();
  server.on('close', () => clearInterval(timer));
  return server;
}

function isSame(one: TlsFiles, other: TlsFiles): boolean {
  const isSameCa = one.ca === undefined || other.ca?.equals(one.ca) === true;
  return one.cert.equals(other.cert) && one.key.equals(other.key) && isSameCa;
}
