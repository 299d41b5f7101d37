/** Flags of services for TLS, authentication, allowed hosts and monitoring. */

import { InvalidArgumentError, Option } from 'commander';
import { BigtraceError } from '../errors.ts';
import { isLoopback } from '../network/host-port.ts';
import { isWebUrl } from '../text/parsed-url.ts';
import { port } from './options.ts';

export interface ServerSecurityFlags {
  metricsPort?: number;
  otlpEndpoint?: string | undefined;
  tlsCert?: string;
  tlsKey?: string;
  tlsClientCa?: string;
  tokenFile?: string;
  allowedHosts?: string[];
  insecure: boolean;
}

export interface ServerSecurity {
  /** Port of /healthz, /readyz and /metrics; 0 chooses a free one; undefined: none. */
  metricsPort: number | undefined;
  /** Base URL of the OTLP receiver for spans. */
  otlpEndpoint: string | undefined;
  /** Names of PEM files. With a client CA, clients must present a certificate that it signed. */
  tls: { cert: string; key: string; clientCa: string | undefined } | undefined;
  /** File with the bearer token that clients must send. */
  tokenFile: string | undefined;
  /** Additional host names that requests may use for the service (allowed-host.ts). */
  allowedHosts: string[];
}

/** The settings of tests, and of a service on loopback without flags: plaintext without authentication. */
export const PLAINTEXT_SERVER: ServerSecurity = {
  metricsPort: undefined,
  otlpEndpoint: undefined,
  tls: undefined,
  tokenFile: undefined,
  allowedHosts: [],
};

/** The flag of services that send spans. */
export function tracingOption(): Option {
  return new Option(
    '--otlp-endpoint <url>',
    'URL of an OTLP/HTTP receiver to send query spans to (default: none)',
  )
    .env('OTEL_EXPORTER_OTLP_ENDPOINT')
    .argParser(httpUrl);
}

export function serverSecurityOptions(): Option[] {
  const option = (flags: string, text: string): Option => {
    const option = new Option(flags, text);
    return option.env(`BIGTRACE_${option.name().replaceAll('-', '_').toUpperCase()}`);
  };
  return [
    option(
      '--metrics-port <port>',
      'HTTP port that serves /healthz, /readyz and /metrics; 0 picks a free one (default: none)',
    ).argParser(port),
    option('--tls-cert <file>', 'TLS certificate of this service, PEM'),
    option('--tls-key <file>', 'private key of --tls-cert, PEM'),
    option('--tls-client-ca <file>', 'require client certificates signed by this CA, PEM'),
    option('--token-file <file>', 'require the bearer token in this file from clients'),
    option(
      '--allowed-hosts <list>',
      'comma-separated host names accepted in requests, in addition to IP addresses, localhost and the names in --tls-cert; *.NAME accepts every subdomain',
    ).argParser(hostList),
    option(
      '--insecure',
      'accept connections from other machines without TLS or without authentication',
    ).default(false),
  ];
}

/** Parses a URL. An empty variable of OpenTelemetry counts as unset. */
function httpUrl(text: string): string | undefined {
  if (text === '') return undefined;
  if (isWebUrl(text)) return text;
  throw new InvalidArgumentError('it must be a URL, such as http://127.0.0.1:4318.');
}

/** Parses a comma-separated list of host names, such as `bigtrace.example,*.example`. */
function hostList(text: string, before: string[] | undefined): string[] {
  const names = text.split(',').filter((name) => name !== '');
  for (const name of names)
    if (!/^(\*\.)?[\w-]+(\.[\w-]+)*$/.test(name))
      throw new InvalidArgumentError(`${name} is not a name of a host, such as bigtrace.example.`);
  return [...(before ?? []), ...names];
}

/**
 * Checks the flags and returns the settings.
 * @param socket host:port that the service listens on
 * @throws invalid_option if other machines could reach the service without TLS and authentication, or flags are missing
 */
export function resolveServerSecurity(flags: ServerSecurityFlags, socket: string): ServerSecurity {
  const { tlsCert: cert, tlsKey: key, tlsClientCa: clientCa, tokenFile } = flags;
  const { metricsPort, otlpEndpoint } = flags;
  if ((cert === undefined) !== (key === undefined))
    throw new BigtraceError('invalid_option', '--tls-cert and --tls-key must be given together');
  if (clientCa !== undefined && cert === undefined)
    throw new BigtraceError('invalid_option', '--tls-client-ca needs --tls-cert and --tls-key');
  const tls = cert === undefined || key === undefined ? undefined : { cert, key, clientCa };
  const guarded = tls !== undefined && (clientCa !== undefined || tokenFile !== undefined);
  if (!guarded && !flags.insecure && !isLoopback(socket))
    throw new BigtraceError(
      'invalid_option',
      `${socket} accepts connections from other machines: it needs --tls-cert, --tls-key and one of ` +
        '--tls-client-ca or --token-file; or pass --insecure',
    );
  return { metricsPort, otlpEndpoint, tls, tokenFile, allowedHosts: flags.allowedHosts ?? [] };
}
