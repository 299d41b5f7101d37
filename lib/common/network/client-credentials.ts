/** How a client connects to a service: in plaintext or with TLS, with a client certificate or a token. */
import { BigtraceError } from '../errors.ts';
import { RenewedTls } from './tls/renewed-tls.ts';

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

/**
 * Returns the files of TLS, which each connection reads again; undefined for a plaintext connection.
 * @throws invalid_option if a file cannot be read, or a certificate lacks its key or CA
 */
export function tlsOf({ tlsCa, tlsCert, tlsKey }: ClientCredentials): RenewedTls | undefined {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new BigtraceError(
      'invalid_option',
      'a client certificate and its key must be given together',
    );
  if (tlsCert !== undefined && tlsCa === undefined)
    throw new BigtraceError('invalid_option', 'a client certificate needs the CA of the service');
  return tlsCa === undefined
    ? undefined
    : new RenewedTls({ ca: tlsCa, cert: tlsCert, key: tlsKey });
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
