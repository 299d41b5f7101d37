/** Flags of commands that connect to a service: TLS and authentication. */
import { Option } from 'commander';

export interface ClientCredentialsFlags {
  tlsCa?: string;
  tlsName?: string;
  tlsCert?: string;
  tlsKey?: string;
  tokenFile?: string;
}

export function clientCredentialsOptions(): Option[] {
  const option = (flags: string, text: string): Option => {
    const made = new Option(flags, text);
    return made.env(`BIGTRACE_${made.name().replaceAll('-', '_').toUpperCase()}`);
  };
  return [
    option(
      '--tls-ca <file>',
      'connect with TLS; PEM file of the CA that signed the certificate of the orchestrator',
    ),
    option(
      '--tls-name <name>',
      'name expected in the certificate of the orchestrator (default: its address)',
    ),
    option('--tls-cert <file>', 'client certificate to present, PEM'),
    option('--tls-key <file>', 'private key of --tls-cert, PEM'),
    option('--token-file <file>', 'file with the bearer token to send to the orchestrator'),
  ];
}
