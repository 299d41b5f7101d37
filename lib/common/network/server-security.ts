/** The gRPC edge of a service, as open as its configuration says. */
import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type * as https from 'node:https';
import * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../errors.ts';
import { toServiceError } from '../grpc-errors.ts';
import type { ServerSecurity } from '../options/server-security-options.ts';
import { printable } from '../text/byte-text.ts';
import { type HostCheck, hostCheck, isLoopbackAddress, REFUSED_HOST } from './allowed-host.ts';

const HEALTH = '/grpc.health.v1.Health/';

/** @throws invalid_option where a file cannot be read */
export function createSecureServer(
  config: ServerSecurity,
  options: grpc.ServerOptions,
): { server: grpc.Server; credentials: grpc.ServerCredentials } {
  const { tls } = config;
  const check = bearerCheck(config);
  const interceptors = [
    localOnly(hostCheckOf(config)),
    ...(check === undefined ? [] : [bearerOnly(check)]),
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

/** @throws invalid_option where the certificate cannot be read */
export function hostCheckOf({ allowedHosts, tls }: ServerSecurity): HostCheck {
  return hostCheck({
    allowed: allowedHosts,
    certificate: tls === undefined ? undefined : file(tls.cert),
  });
}

/** Whether a request with this `Authorization` header has the token; undefined where none is asked for. */
export function bearerCheck({
  tokenFile,
}: ServerSecurity): ((authorization: string | undefined) => boolean) | undefined {
  if (tokenFile === undefined) return undefined;
  const wanted = Buffer.from(`Bearer ${fileText(tokenFile)}`);
  return (authorization = '') => isSame(Buffer.from(authorization), wanted);
}

/** What Node's `https` wants to know; undefined where the edge is in the clear. */
export function httpsOptions({ tls }: ServerSecurity): https.ServerOptions | undefined {
  if (tls === undefined) return undefined;
  const { clientCa } = tls;
  return {
    cert: file(tls.cert),
    key: file(tls.key),
    ...(clientCa === undefined ? {} : { ca: file(clientCa), requestCert: true }),
  };
}

/**
 * Refuses calls, on loopback, that a web page may have made: those with an `Origin`, and those that call the
 * service by a name that may be anybody's. Bounds what compressed messages become.
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
            const given = String(metadata.get('authorization')[0] ?? '');
            if (method.path.startsWith(HEALTH) || check(given)) goOn(metadata);
            else
              call.sendStatus(
                refusal('unauthenticated', 'the call has no bearer token, or not the right one'),
              );
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

/** No client has more to say in one message that it compresses; some hundred bytes may stand for a gigabyte. */
export const INFLATED_BYTES_MAX = 64 * 2 ** 20;

/**
 * Messages may be 2 GiB long, as upstream's; but a compressed one, which costs its sender next to nothing, must
 * not become that long. grpc-js has one bound for both, in a field of its base call: a test fails where a release
 * of it has the field no longer.
 */
function boundInflation(call: object): void {
  const base = call as { incomingEncoding?: string; maxReceiveMessageSize?: number };
  if (base.incomingEncoding !== 'identity') base.maxReceiveMessageSize = INFLATED_BYTES_MAX;
}

function isSame(given: Buffer, wanted: Buffer): boolean {
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** @throws invalid_option where it cannot be read */
export function file(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BigtraceError('invalid_option', text, { cause });
  }
}

/** @throws invalid_option where it cannot be read, or is empty */
export function fileText(path: string): string {
  const text = file(path).toString().trim();
  if (text === '') throw new BigtraceError('invalid_option', `${path} is empty`);
  return text;
}
