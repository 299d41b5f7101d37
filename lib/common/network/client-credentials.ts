/** How a client reaches a service: in the clear or by TLS, with a certificate or a token of its own. */
import * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../errors.ts';
import { file, fileText } from './server-security.ts';

/** Names of files; the certificates are PEM. */
export interface ClientCredentials {
  /** TLS, and whose certificate the service must have. */
  tlsCa?: string | undefined;
  /** The name that its certificate is for, where that is not its address. */
  tlsName?: string | undefined;
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
  tokenFile?: string | undefined;
}

export interface Channel {
  credentials: grpc.ChannelCredentials;
  options: grpc.ClientOptions;
}

/** @throws invalid_option where the files cannot be read, or some are missing */
export function openChannel(peer: ClientCredentials): Channel {
  const { tlsCa, tlsName, tlsCert, tlsKey, tokenFile } = peer;
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new BigtraceError('invalid_option', 'a client certificate needs its key, and the key it');
  if (tlsCert !== undefined && tlsCa === undefined)
    throw new BigtraceError('invalid_option', 'a client certificate needs the CA of the service');
  return {
    credentials:
      tlsCa === undefined
        ? grpc.credentials.createInsecure()
        : grpc.credentials.createSsl(
            file(tlsCa),
            tlsKey === undefined ? null : file(tlsKey),
            tlsCert === undefined ? null : file(tlsCert),
          ),
    options: {
      ...(tlsName === undefined ? {} : { 'grpc.ssl_target_name_override': tlsName }),
      ...(tokenFile === undefined ? {} : { interceptors: [withBearer(fileText(tokenFile))] }),
    },
  };
}

function withBearer(token: string): grpc.Interceptor {
  return (options, nextCall) =>
    new grpc.InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set('authorization', `Bearer ${token}`);
        next(metadata, listener);
      },
    });
}

/** From the variables that flags (lib/common/options/client-credentials-options.ts) have: for a program that has none. */
export function clientCredentialsFromEnv(env: NodeJS.ProcessEnv): ClientCredentials {
  const given = (name: string): string | undefined => env[`BIGTRACE_${name}`] || undefined;
  return {
    tlsCa: given('TLS_CA'),
    tlsName: given('TLS_NAME'),
    tlsCert: given('TLS_CERT'),
    tlsKey: given('TLS_KEY'),
    tokenFile: given('TOKEN_FILE'),
  };
}
