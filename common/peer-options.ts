/** The flags of a command that asks a service: how it is reached. */
import { Option } from 'commander';

export interface PeerFlags {
  tlsCa?: string;
  tlsName?: string;
  tlsCert?: string;
  tlsKey?: string;
  tokenFile?: string;
}

export function peerOptions(): Option[] {
  const option = (flags: string, text: string): Option => {
    const made = new Option(flags, text);
    return made.env(`BIGTRACE_${made.name().replaceAll('-', '_').toUpperCase()}`);
  };
  return [
    option('--tls-ca <file>', 'the orchestrator has TLS, by this CA (PEM)'),
    option('--tls-name <name>', 'name in its certificate (default: its address)'),
    option('--tls-cert <file>', 'certificate to show it'),
    option('--tls-key <file>', 'its key'),
    option('--token-file <file>', 'file with the bearer token to send'),
  ];
}
