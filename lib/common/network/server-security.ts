/** Creates gRPC servers with the TLS, authentication and host checks of their configuration. */
import { timingSafeEqual } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../errors.ts';
import { toServiceError } from '../grpc-errors.ts';
import type { ServerSecurity } from '../options/server-security-options.ts';
import { printable } from '../text/byte-text.ts';
import { type HostCheck, hostCheck, isLoopbackAddress, REFUSED_HOST } from './allowed-host.ts';
import { SecretFile } from './secret-file.ts';
import { RenewedTls, type TlsFiles, watchTls } from './tls/renewed-tls.ts';

const HEALTH = '/grpc.health.v1.Health/';

/**
 * New connections get the certificate that the files have now.
 * @param more interceptors of calls that are authenticated
 * @param lookMs how often the files are read
 * @throws invalid_option if a file cannot be read, or the token is empty
 */
export function createSecureServer(
  config: ServerSecurity,
  options: grpc.ServerOptions,
  more: grpc.ServerInterceptor[] = [],
  lookMs?: number,
): { server: grpc.Server; credentials: grpc.ServerCredentials } {
  const { tls } = config;
  const check = bearerCheck(config);
  const interceptors = [
    localOnly(hostCheckOf(config)),
    ...(check === undefined ? [] : [bearerOnly(check)]),
    ...more,
  ];
  const credentials =
    tls === undefined
      ? grpc.ServerCredentials.createInsecure()
      : new RenewedCredentials(
          new RenewedTls({ ca: tls.clientCa, cert: tls.cert, key: tls.key }),
          lookMs,
        );
  return { server: new grpc.Server({ ...options, interceptors }), credentials };
}

/**
 * Credentials that follow the files. Those of grpc-js with a certificate provider drop all connections while a key does not
 * belong to its certificate.
 */
class RenewedCredentials extends grpc.ServerCredentials {
  readonly #files: RenewedTls;
  readonly #lookMs: number | undefined;
  #stop: (() => void) | undefined;

  constructor(files: RenewedTls, lookMs?: number) {
    const ssl = sslOf(files.current);
    super(ssl._getConstructorOptions(), contextOf(ssl));
    this.#files = files;
    this.#lookMs = lookMs;
  }

  /** @param watcher of a server that begins to listen */
  override _addWatcher(watcher: Watcher): void {
    super._addWatcher(watcher);
    const renew = (next: TlsFiles): void => this.updateSecureContextOptions(contextOf(sslOf(next)));
    this.#stop ??= watchTls(this.#files, renew, this.#lookMs);
  }

  override _removeWatcher(watcher: Watcher): void {
    super._removeWatcher(watcher);
    if (this.getWatcherCount() > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  override _equals(other: grpc.ServerCredentials): boolean {
    return this === other;
  }
}

type Watcher = Parameters<grpc.ServerCredentials['_addWatcher']>[0];

function sslOf({ ca, cert, key }: TlsFiles): grpc.ServerCredentials {
  if (cert === undefined || key === undefined) throw new Error('no certificate, or no key');
  const pair = { cert_chain: cert, private_key: key };
  return grpc.ServerCredentials.createSsl(ca ?? null, [pair], ca !== undefined);
}

/** Ciphers are an option of the server, but a new context replaces them, too. */
function contextOf(ssl: grpc.ServerCredentials): SecureContextOptions {
  const { ciphers } = ssl._getConstructorOptions() ?? {};
  return { ...ssl._getSecureContextOptions(), ...(ciphers === undefined ? {} : { ciphers }) };
}

/** @returns the port that the server listens on @throws invalid_option if it cannot listen on `hostPort` */
export function listen(
  server: grpc.Server,
  hostPort: string,
  credentials: grpc.ServerCredentials,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(hostPort, credentials, (error, port) => {
      if (error === null) return resolve(port);
      const text = `cannot listen on ${hostPort}: ${error.message}`;
      reject(new BigtraceError('invalid_option', text, { cause: error }));
    });
  });
}

/** @throws invalid_option if the certificate cannot be read */
export function hostCheckOf({ allowedHosts, tls }: ServerSecurity): HostCheck {
  return hostCheck({
    allowed: allowedHosts,
    certificate: tls === undefined ? undefined : new SecretFile(tls.cert),
  });
}

/**
 * Returns the check whether an `Authorization` header has one of the tokens that the file has now; undefined if the
 * service needs no token.
 * @throws invalid_option if the token file cannot be read, or is empty
 */
export function bearerCheck({
  tokenFile,
}: ServerSecurity): ((authorization: string | undefined) => boolean) | undefined {
  if (tokenFile === undefined) return undefined;
  const token = new SecretFile(tokenFile);
  return (authorization = '') =>
    token.lines.some((line) => isSame(Buffer.from(authorization), Buffer.from(`Bearer ${line}`)));
}

/**
 * Rejects calls that a web page may have made: those with an `Origin` on loopback, and those with a host name that a
 * stranger can own (allowed-host.ts). Also bounds the inflated size of compressed messages.
 */
function localOnly(isAllowed: HostCheck): grpc.ServerInterceptor {
  return (_method, call) => {
    boundInflation(call);
    const { localAddress } = call.getConnectionInfo();
    const host = call.getHost();
    return new grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, goOn) => {
            const [origin] = metadata.get('origin');
            if (origin !== undefined && isLoopbackAddress(localAddress))
              call.sendStatus(refusal('forbidden', `web page ${origin} may not call this service`));
            else if (isAllowed(host, localAddress)) goOn(metadata);
            else call.sendStatus(refusal('forbidden', `${printable(host)} ${REFUSED_HOST}`));
          },
        }),
    });
  };
}

/** Rejects calls without the token. Health checks need no authentication. */
function bearerOnly(check: (authorization: string) => boolean): grpc.ServerInterceptor {
  return (method, call) =>
    new grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, goOn) => {
            const actual = String(metadata.get('authorization')[0] ?? '');
            if (method.path.startsWith(HEALTH) || check(actual)) goOn(metadata);
            else
              call.sendStatus(refusal('unauthenticated', 'the bearer token is missing or wrong'));
          },
        }),
    });
}

function refusal(
  why: 'unauthenticated' | 'forbidden',
  detail: string,
): Parameters<grpc.ServerInterceptingCall['sendStatus']>[0] {
  const { code, details, metadata } = toServiceError(new BigtraceError(why, detail));
  return { code: code ?? grpc.status.UNAUTHENTICATED, details: details ?? '', metadata };
}

/** More than any client compresses into one message. gzip inflates up to 1000 times: 2 MiB could become 2 GiB. */
export const INFLATED_BYTES_MAX = 64 * 2 ** 20;

/**
 * Bounds the inflated size of the call's messages, if they are compressed. Uncompressed messages may have 2 GiB, as in
 * Perfetto; a compressed one of that size costs its sender almost nothing. grpc-js has one bound for both, in a field
 * of its base call. A test fails if a release of grpc-js removes the field.
 */
function boundInflation(call: object): void {
  const base = call as { incomingEncoding?: string; maxReceiveMessageSize?: number };
  if (base.incomingEncoding !== 'identity') base.maxReceiveMessageSize = INFLATED_BYTES_MAX;
}

function isSame(actual: Buffer, expected: Buffer): boolean {
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
