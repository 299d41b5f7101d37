/** Credentials and options of a gRPC channel. */
import * as grpc from '@grpc/grpc-js';
import { type ClientCredentials, tlsOf } from './network/client-credentials.ts';
import { SecretFile } from './network/secret-file.ts';
import type { RenewedTls, TlsFiles } from './network/tls/renewed-tls.ts';

export interface Channel {
  credentials: grpc.ChannelCredentials;
  options: grpc.ClientOptions;
}

/** @throws invalid_option if a file cannot be read, or a certificate lacks its key or CA */
export function openChannel(credentials: ClientCredentials): Channel {
  const { tlsName, tokenFile } = credentials;
  const tls = tlsOf(credentials);
  return {
    credentials:
      tls === undefined ? grpc.credentials.createInsecure() : new RenewedCredentials(tls),
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

type Create = grpc.ChannelCredentials['_createSecureConnector'];
type Connector = ReturnType<Create>;

/**
 * Each connection uses the certificates that the files have when it begins. Credentials of grpc-js with a certificate
 * provider refuse connections while a key does not belong to its certificate.
 */
class RenewedCredentials extends grpc.ChannelCredentials {
  readonly #tls: RenewedTls;
  #files: TlsFiles;
  #ssl: grpc.ChannelCredentials;

  constructor(tls: RenewedTls) {
    super();
    this.#tls = tls;
    this.#files = tls.current;
    this.#ssl = sslOf(this.#files);
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: grpc.ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...channel: Parameters<Create>): Connector {
    const first = this.#current()._createSecureConnector(...channel);
    return {
      connect: (socket) =>
        this.#current()
          ._createSecureConnector(...channel)
          .connect(socket),
      waitForReady: () => first.waitForReady(),
      getCallCredentials: () => first.getCallCredentials(),
      destroy: () => first.destroy(),
    };
  }

  #current(): grpc.ChannelCredentials {
    const { current } = this.#tls;
    if (current !== this.#files) {
      this.#files = current;
      this.#ssl = sslOf(current);
    }
    return this.#ssl;
  }
}

function sslOf({ ca, cert, key }: TlsFiles): grpc.ChannelCredentials {
  return grpc.credentials.createSsl(ca, key ?? null, cert ?? null);
}
