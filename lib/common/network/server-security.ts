/** Creates gRPC servers with the TLS, authentication and host checks of their configuration. */
import { timingSafeEqual } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../errors.ts';
import { toServiceError } from '../grpc-errors.ts';
import type { ServerSecurity } from '../options/server-security-options.ts';
import { printable } from '../text/byte-text.ts';
import { type HostCheck, hostCheck, isLoopbackAddress, REFUSED_HOST } from './allowed-host.ts';
import { file, SecretFile } from './secret-file.ts';

const HEALTH = '/grpc.health.v1.Health/';

/**
 * @param more interceptors of calls that are authenticated
 * @throws invalid_option if a file cannot be read, or the token is empty
 */
export function createSecureServer(
  config: ServerSecurity,
  options: grpc.ServerOptions,
  more: grpc.ServerInterceptor[] = [],
): { server: grpc.Server; credentials: grpc.ServerCredentials } {
  const { tls } = config;
  const check = bearerCheck(config);
  const interceptors = [
    localOnly(hostCheckOf(config)),
    ...(check === undefined ? [] : [bearerOnly(check)]),
    ...more,
  ];
  const clientCa = tls?.clientCa === undefined ? null : file(tls.clientCa);
  const credentials =
    tls === undefined
      ? grpc.ServerCredentials.createInsecure()
      : grpc.ServerCredentials.createSsl(
          clientCa,
          [{ cert_chain: file(tls.cert), private_key: file(tls.key) }],
          clientCa !== null,
        );
  return { server: new grpc.Server({ ...options, interceptors }), credentials };
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
    certificate: tls === undefined ? undefined : file(tls.cert),
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
