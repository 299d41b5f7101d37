/** Resolves flags to one checked, complete configuration; pure. */

import { BigtraceError } from '../lib/common/errors.ts';
import type { ClientCredentials } from '../lib/common/network/client-credentials.ts';
import type { LogLevel } from '../lib/common/observability/log.ts';
import {
  type OrchestratorCredentialsFlags,
  orchestratorCredentials,
} from '../lib/common/options/client-credentials-options.ts';
import {
  resolveServerSecurity,
  type ServerSecurity,
  type ServerSecurityFlags,
} from '../lib/common/options/server-security-options.ts';

/** The values that commander parsed from flags, environment variables or defaults; times in ms. */
export interface HttpApiFlags extends ServerSecurityFlags, OrchestratorCredentialsFlags {
  listen: string;
  port: number;
  /** `host:port`; overrides `listen` and `port`. */
  socket?: string;
  orchestrator?: string[];
  clickhouse: string;
  servicePasswordFile?: string;
  corsOrigin?: string[];
  defaultTraces?: string[];
  tableLife: number;
  publicUrl?: string;
  trustedProxies?: string[];
  trustedUserHeader?: string;
  loginLife: number;
  presets?: string;
  bigtraceUi?: string;
  perfettoUi: string;
  supersetUrl?: string;
  drainTimeout: number;
  json: boolean;
  logLevel: LogLevel;
}

export interface HttpApiConfig {
  /** `host:port` to listen on; port 0 picks a free one. */
  socket: string;
  serverSecurity: ServerSecurity;
  /** Each `host:port`; all orchestrators that ClickHouse uses. */
  orchestrators: string[];
  orchestratorCredentials: ClientCredentials;
  /** URL of ClickHouse's HTTP interface. */
  clickhouseUrl: string;
  /** File with the password of the ClickHouse users bigtrace_backend and bigtrace_catalog. */
  servicePasswordFile: string | undefined;
  corsOrigins: string[];
  /** Addresses of queries that name none; empty for the whole catalog. */
  defaultTraces: string[];
  /** How long the tables of queries are kept to which their users gave no name. */
  tableLifeMs: number;
  /** URL as clients reach the service; undefined: it follows from their requests. */
  publicUrl: string | undefined;
  /** Addresses and networks of the proxies whose X-Forwarded headers are true. */
  trustedProxies: string[];
  /** Header in which one of them names the user, in lower case. */
  trustedUserHeader: string | undefined;
  /** How long the login of a browser lasts. */
  loginLifeMs: number;
  /** YAML file with additional presets. */
  presetsFile: string | undefined;
  /** Directory with a built Perfetto UI to serve. */
  bigtraceUi: string | undefined;
  /** URL of the Perfetto UI that traces are opened in, unless a served one can. */
  perfettoUi: string;
  /** URL of Superset that the console links to. */
  supersetUrl: string | undefined;
  drainTimeoutMs: number;
  json: boolean;
  logLevel: LogLevel;
}

export const DEFAULT_ORCHESTRATOR = '127.0.0.1:5051';

/** Checks the flags and completes the configuration. @throws invalid_option that names the flag */
export function resolveConfig(flags: HttpApiFlags): HttpApiConfig {
  const host = flags.listen.includes(':') ? `[${flags.listen}]` : flags.listen;
  const socket = flags.socket ?? `${host}:${flags.port}`;
  return {
    socket,
    serverSecurity: resolveServerSecurity(flags, socket),
    orchestrators: flags.orchestrator ?? [DEFAULT_ORCHESTRATOR],
    orchestratorCredentials: orchestratorCredentials(flags),
    clickhouseUrl: flags.clickhouse,
    servicePasswordFile: flags.servicePasswordFile,
    corsOrigins: flags.corsOrigin ?? [],
    defaultTraces: flags.defaultTraces ?? [],
    tableLifeMs: flags.tableLife,
    publicUrl: flags.publicUrl,
    trustedProxies: flags.trustedProxies ?? [],
    trustedUserHeader: trustedHeader(flags),
    loginLifeMs: flags.loginLife,
    presetsFile: flags.presets,
    bigtraceUi: flags.bigtraceUi,
    perfettoUi: flags.perfettoUi,
    supersetUrl: flags.supersetUrl,
    drainTimeoutMs: flags.drainTimeout,
    json: flags.json,
    logLevel: flags.logLevel,
  };
}

function trustedHeader({ trustedUserHeader, trustedProxies }: HttpApiFlags): string | undefined {
  if (trustedUserHeader !== undefined && trustedProxies === undefined)
    throw new BigtraceError(
      'invalid_option',
      '--trusted-user-header needs --trusted-proxies: from other clients the header is not believed',
    );
  return trustedUserHeader;
}
