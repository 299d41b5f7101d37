/** Resolves the flags of `bigtrace bridge` to one checked, complete configuration; pure. */
import { BigtraceError } from '../../lib/common/errors.ts';
import type { ClientCredentials } from '../../lib/common/network/client-credentials.ts';
import type { LogLevel } from '../../lib/common/observability/log.ts';
import {
  type OrchestratorCredentialsFlags,
  orchestratorCredentials,
} from '../../lib/common/options/client-credentials-options.ts';
import {
  resolveServerSecurity,
  type ServerSecurity,
  type ServerSecurityFlags,
} from '../../lib/common/options/server-security-options.ts';
import type { TableSource } from './table-addresses.ts';

/** The values that commander parsed from flags, environment variables or defaults. */
export interface BridgeFlags extends ServerSecurityFlags, OrchestratorCredentialsFlags {
  listen: string;
  port: number;
  socket?: string;
  orchestrator: string;
  clickhouse?: string;
  clickhouseUser: string;
  clickhousePasswordFile?: string;
  json: boolean;
  logLevel: LogLevel;
  drainTimeout: number;
}

export interface BridgeConfig {
  /** host:port */
  socket: string;
  security: ServerSecurity;
  orchestrator: string;
  orchestratorCredentials: ClientCredentials;
  /** The ClickHouse whose tables bigtrace_table may read; undefined: none. */
  tables: TableSource | undefined;
  json: boolean;
  logLevel: LogLevel;
  drainMs: number;
}

/** @throws invalid_option that names the flag */
export function resolveConfig(flags: BridgeFlags): BridgeConfig {
  const host = flags.listen.includes(':') ? `[${flags.listen}]` : flags.listen;
  const socket = flags.socket ?? `${host}:${flags.port}`;
  // On loopback, too: users of a ClickHouse on this machine may reach the port by url().
  if (flags.tokenFile === undefined && flags.tlsClientCa === undefined && !flags.insecure)
    throw new BigtraceError(
      'invalid_option',
      'the bridge believes which user a request names, so it needs --token-file or --tls-client-ca; or pass --insecure',
    );
  return {
    socket,
    security: resolveServerSecurity(flags, socket),
    orchestrator: flags.orchestrator,
    orchestratorCredentials: orchestratorCredentials(flags),
    tables:
      flags.clickhouse === undefined
        ? undefined
        : {
            url: flags.clickhouse,
            user: flags.clickhouseUser,
            passwordFile: flags.clickhousePasswordFile,
          },
    json: flags.json,
    logLevel: flags.logLevel,
    drainMs: flags.drainTimeout,
  };
}
