/** Resolves flags to one checked, complete configuration; pure. */

import { BigtraceError } from '../lib/common/errors.ts';
import type { ClientCredentials } from '../lib/common/network/client-credentials.ts';
import { isLoopback } from '../lib/common/network/host-port.ts';
import type { LogLevel } from '../lib/common/observability/log.ts';
import {
  type OrchestratorCredentialsFlags,
  orchestratorCredentials,
} from '../lib/common/options/client-credentials-options.ts';
import type { LoginFlags } from '../lib/common/options/login-options.ts';
import {
  PLAINTEXT_SERVER,
  type ServerSecurity,
} from '../lib/common/options/server-security-options.ts';
import type { Bounds } from './bounds.ts';

/** The values that commander parsed from flags, environment variables or defaults. */
export interface McpFlags extends LoginFlags, OrchestratorCredentialsFlags {
  http: boolean;
  listen: string;
  port: number;
  socket?: string;
  tlsCert?: string;
  tlsKey?: string;
  allowedHosts?: string[];
  insecure: boolean;
  orchestrator: string;
  httpApi: string;
  presets?: string;
  maxTraces: number;
  maxSeconds: number;
  maxRows: number;
  json: boolean;
  logLevel: LogLevel;
}

export interface McpConfig {
  clickhouseUrl: string;
  orchestrator: string;
  orchestratorCredentials: ClientCredentials;
  /** URL of the HTTP API as people reach it, without a slash at its end. */
  linkBase: string;
  presetsFile: string | undefined;
  bounds: Bounds;
  logLevel: LogLevel;
  /** Undefined: stdio. */
  http: { socket: string; security: ServerSecurity; json: boolean } | undefined;
}

/** Checks the flags and completes the configuration. @throws invalid_option that names the flag */
export function resolveConfig(flags: McpFlags): McpConfig {
  return {
    clickhouseUrl: flags.clickhouse,
    orchestrator: flags.orchestrator,
    orchestratorCredentials: orchestratorCredentials(flags),
    linkBase: flags.httpApi.replace(/\/+$/, ''),
    presetsFile: flags.presets,
    bounds: { traces: flags.maxTraces, seconds: flags.maxSeconds, rows: flags.maxRows },
    logLevel: flags.logLevel,
    http: flags.http ? httpOf(flags) : undefined,
  };
}

function httpOf(flags: McpFlags): McpConfig['http'] {
  const { tlsCert: cert, tlsKey: key, allowedHosts = [], json } = flags;
  const host = flags.listen.includes(':') ? `[${flags.listen}]` : flags.listen;
  const socket = flags.socket ?? `${host}:${flags.port}`;
  if ((cert === undefined) !== (key === undefined))
    throw new BigtraceError('invalid_option', '--tls-cert and --tls-key must be given together');
  const tls =
    cert === undefined || key === undefined ? undefined : { cert, key, clientCa: undefined };
  if (tls === undefined && !flags.insecure && !isLoopback(socket))
    throw new BigtraceError(
      'invalid_option',
      `${socket} accepts passwords from other machines: it needs --tls-cert and --tls-key; or pass --insecure`,
    );
  return { socket, json, security: { ...PLAINTEXT_SERVER, tls, allowedHosts } };
}
