/** Credentials and options of a gRPC channel. */
import * as grpc from '@grpc/grpc-js';
import { type ClientCredentials, tlsFilesOf } from './network/client-credentials.ts';
import { SecretFile } from './network/secret-file.ts';

export interface Channel {
  credentials: grpc.ChannelCredentials;
  options: grpc.ClientOptions;
}

/** @throws invalid_option if a file cannot be read, or a certificate lacks its key or CA */
export function openChannel(credentials: ClientCredentials): Channel {
  const { tlsName, tokenFile } = credentials;
  const tls = tlsFilesOf(credentials);
  return {
    credentials:
      tls === undefined
        ? grpc.credentials.createInsecure()
        : grpc.credentials.createSsl(tls.ca, tls.key ?? null, tls.cert ?? null),
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
