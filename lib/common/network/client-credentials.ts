/** How a client connects to a service: in plaintext or with TLS, with a client certificate or a token. */
import * as grpc from '@grpc/grpc-js';
import { BigtraceError } from '../errors.ts';
import { file, SecretFile } from './secret-file.ts';

/** Names of files, except `tlsName`. The certificates are PEM. */
export interface ClientCredentials {
  /** CA that must have signed the service's certificate. Without it, the connection is plaintext. */
  tlsCa?: string | undefined;
  /** Name expected in the service's certificate, if it is not the service's address. */
  tlsName?: string | undefined;
  tlsCert?: string | undefined;
  tlsKey?: string | undefined;
  tokenFile?: string | undefined;
}

export interface Channel {
  credentials: grpc.ChannelCredentials;
  options: grpc.ClientOptions;
}

/** @throws invalid_option if a file cannot be read, or a certificate lacks its key or CA */
export function openChannel(credentials: ClientCredentials): Channel {
  const { tlsCa, tlsName, tlsCert, tlsKey, tokenFile } = credentials;
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new BigtraceError(
      'invalid_option',
      'a client certificate and its key must be given together',
    );
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
      ...(tokenFile === undefined ? {} : { interceptors: [withBearer(new SecretFile(tokenFile))] }),
    },
  };
}

/** Each call sends the first token that the file has when the call starts. */
function withBearer(token: SecretFile): grpc.Interceptor {
  return (options, nextCall) =>
    new grpc.InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        metadata.set('authorization', `Bearer ${token.first}`);
        next(metadata, listener);
      },
    });
}

/** Reads the variables of lib/common/options/client-credentials-options.ts, for a program without flags. */
export function clientCredentialsFromEnv(env: NodeJS.ProcessEnv): ClientCredentials {
  const variable = (name: string): string | undefined => env[`BIGTRACE_${name}`] || undefined;
  return {
    tlsCa: variable('TLS_CA'),
    tlsName: variable('TLS_NAME'),
    tlsCert: variable('TLS_CERT'),
    tlsKey: variable('TLS_KEY'),
    tokenFile: variable('TOKEN_FILE'),
  };
}
