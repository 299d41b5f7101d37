/** Flags of commands that connect to a service: TLS and authentication. */

import { Option } from 'commander';
import type { ClientCredentials } from '../network/client-credentials.ts';

export interface ClientCredentialsFlags {
  tlsCa?: string;
  tlsName?: string;
  tlsCert?: string;
  tlsKey?: string;
  tokenFile?: string;
}

/**
 * @param prefix such as `worker-` for `--worker-tls-ca`: a service has flags of these names for its own clients
 * @param services that are connected to
 */
export function clientCredentialsOptions(prefix = '', services = 'the orchestrator'): Option[] {
  const option = (name: string, text: string): Option =>
    new Option(`--${prefix}${name} <file>`.replace('name <file>', 'name <name>'), text).env(
      `BIGTRACE_${prefix}${name}`.replaceAll('-', '_').toUpperCase(),
    );
  return [
    option(
      'tls-ca',
      `connect to ${services} with TLS; PEM file of the CA that signed the certificate`,
    ),
    option('tls-name', `name expected in the certificate of ${services} (default: the address)`),
    option('tls-cert', `client certificate for connections to ${services}, PEM`),
    option('tls-key', `private key of --${prefix}tls-cert, PEM`),
    option('token-file', `file with the bearer token to send to ${services}`),
  ];
}

/** The flags of `clientCredentialsOptions('orchestrator-')`. */
export interface OrchestratorCredentialsFlags {
  orchestratorTlsCa?: string;
  orchestratorTlsName?: string;
  orchestratorTlsCert?: string;
  orchestratorTlsKey?: string;
  orchestratorTokenFile?: string;
}

export function orchestratorCredentials(flags: OrchestratorCredentialsFlags): ClientCredentials {
  return {
    tlsCa: flags.orchestratorTlsCa,
    tlsName: flags.orchestratorTlsName,
    tlsCert: flags.orchestratorTlsCert,
    tlsKey: flags.orchestratorTlsKey,
    tokenFile: flags.orchestratorTokenFile,
  };
}
