/** The gRPC edge of a service, as open as its configuration says. */
import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type * as https from 'node:https';
import * as grpc from '@grpc/grpc-js';
import type { EdgeConfig } from './edge-options.ts';
import { BigtraceError } from './errors.ts';
import { toServiceError } from './grpc-errors.ts';

const HEALTH = '/grpc.health.v1.Health/';

/** @throws invalid_option where a file cannot be read */
export function createEdge(
  config: EdgeConfig,
  options: grpc.ServerOptions,
): { server: grpc.Server; credentials: grpc.ServerCredentials } {
  const { tls } = config;
  const check = bearerCheck(config);
  const interceptors = check === undefined ? [] : [bearerOnly(check)];
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

/** Whether a request with this `Authorization` header has the token; undefined where none is asked for. */
export function bearerCheck({
  tokenFile,
}: EdgeConfig): ((authorization: string | undefined) => boolean) | undefined {
  if (tokenFile === undefined) return undefined;
  const wanted = Buffer.from(`Bearer ${fileText(tokenFile)}`);
  return (authorization = '') => isSame(Buffer.from(authorization), wanted);
}

/** What Node's `https` wants to know; undefined where the edge is in the clear. */
export function httpsOptions({ tls }: EdgeConfig): https.ServerOptions | undefined {
  if (tls === undefined) return undefined;
  const { clientCa } = tls;
  return {
    cert: file(tls.cert),
    key: file(tls.key),
    ...(clientCa === undefined ? {} : { ca: file(clientCa), requestCert: true }),
  };
}

/** Refuses calls without the token; how the service is may be asked by anybody. */
function bearerOnly(check: (authorization: string) => boolean): grpc.ServerInterceptor {
  return (method, call) =>
    new grpc.ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, goOn) => {
            const given = String(metadata.get('authorization')[0] ?? '');
            if (method.path.startsWith(HEALTH) || check(given)) goOn(metadata);
            else call.sendStatus(refusal());
          },
        }),
    });
}

function refusal(): Parameters<grpc.ServerInterceptingCall['sendStatus']>[0] {
  const { code, details, metadata } = toServiceError(
    new BigtraceError('unauthenticated', 'the call has no bearer token, or not the right one'),
  );
  return { code: code ?? grpc.status.UNAUTHENTICATED, details: details ?? '', metadata };
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
