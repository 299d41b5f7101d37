/** Resolves flags to one validated, complete configuration; pure. */

import { BigtraceError } from '../lib/common/errors.ts';
import type { ClientCredentials } from '../lib/common/network/client-credentials.ts';
import type { LogLevel } from '../lib/common/observability/log.ts';
import {
  resolveServerSecurity,
  type ServerSecurity,
  type ServerSecurityFlags,
} from '../lib/common/options/server-security-options.ts';
import type { UserBounds } from './query/users.ts';
import type { ColumnFindingBounds } from './schema/schema-queue.ts';

/** The values that commander parsed from flags, environment variables or defaults; times in ms, sizes in bytes. */
export interface OrchestratorFlags extends ServerSecurityFlags {
  listen: string;
  port: number;
  /** `host:port`; overrides `listen` and `port`. */
  socket?: string;
  workers?: string[];
  workerTlsCa?: string;
  workerTlsName?: string;
  workerTlsCert?: string;
  workerTlsKey?: string;
  workerTokenFile?: string;
  workerAddress: string;
  workerPort: number;
  workerCount: number;
  nameResolutionScheme: string;
  maxQueryConcurrency: number;
  hedgeAfter: number;
  resolveInterval: number;
  workerTimeout: number;
  workerWait: number;
  queryTimeout: number;
  queryTimeoutMax: number;
  maxQueries: number;
  userQueries: number;
  userResultBytes: number;
  userCoreSeconds: number;
  maxSchemas: number;
  userSchemas: number;
  drainTimeout: number;
  peers?: string[];
  peerTlsCa?: string;
  peerTlsName?: string;
  peerTlsCert?: string;
  peerTlsKey?: string;
  peerTokenFile?: string;
  clickhouse?: string;
  servicePasswordFile?: string;
  json: boolean;
  logLevel: LogLevel;
}

export interface OrchestratorConfig extends UserBounds, ColumnFindingBounds {
  /** `host:port` to listen on; port 0 picks a free one. */
  socket: string;
  serverSecurity: ServerSecurity;
  /** Each `host:port` or `dns:///host:port`. */
  workers: string[];
  /** TLS and token settings for connections to workers. */
  workerCredentials: ClientCredentials;
  resolveIntervalMs: number;
  workerTimeoutMs: number;
  workerWaitMs: number;
  /** Maximum number of tasks of one query assigned at the same time; 0: as many as workers give credits for. */
  tracesInFlightMax: number;
  /** Silence of a worker after which a task is hedged; 0: never. */
  hedgeAfterMs: number;
  queryTimeoutMs: number;
  queryTimeoutMsMax: number;
  queriesMax: number;
  drainTimeoutMs: number;
  /** All orchestrators, each `host:port` or `dns:///host:port`; this one may be among them. */
  peers: string[];
  /** TLS and token settings for connections to them. */
  peerCredentials: ClientCredentials;
  /** URL of the HTTP interface of the ClickHouse server that holds the catalog. */
  clickhouseUrl: string | undefined;
  /** File with the password of the ClickHouse user bigtrace_catalog. */
  servicePasswordFile: string | undefined;
  json: boolean;
  logLevel: LogLevel;
}

const SCHEMES = ['', 'ipv4:', 'ipv6:', 'dns:', 'dns:///'];

/** Validates the flags and completes the configuration. @throws invalid_option that names the flag */
export function resolveConfig(flags: OrchestratorFlags): OrchestratorConfig {
  for (const name of ['queryTimeout', 'workerTimeout', 'resolveInterval'] as const) {
    const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (flags[name] === 0) throw new BigtraceError('invalid_option', `--${flag} must be > 0ms`);
  }
  if (flags.queryTimeout > flags.queryTimeoutMax)
    throw new BigtraceError(
      'invalid_option',
      `--query-timeout ${flags.queryTimeout}ms must be <= --query-timeout-max ${flags.queryTimeoutMax}ms`,
    );
  const host = flags.listen.includes(':') ? `[${flags.listen}]` : flags.listen;
  const socket = flags.socket ?? `${host}:${flags.port}`;
  return {
    socket,
    serverSecurity: resolveServerSecurity(flags, socket),
    workers: workerTargets(flags),
    workerCredentials: {
      tlsCa: flags.workerTlsCa,
      tlsName: flags.workerTlsName,
      tlsCert: flags.workerTlsCert,
      tlsKey: flags.workerTlsKey,
      tokenFile: flags.workerTokenFile,
    },
    resolveIntervalMs: flags.resolveInterval,
    workerTimeoutMs: flags.workerTimeout,
    workerWaitMs: flags.workerWait,
    tracesInFlightMax: flags.maxQueryConcurrency,
    hedgeAfterMs: flags.hedgeAfter,
    queryTimeoutMs: flags.queryTimeout,
    queryTimeoutMsMax: flags.queryTimeoutMax,
    queriesMax: flags.maxQueries,
    userQueriesMax: flags.userQueries,
    userResultBytesMax: flags.userResultBytes,
    userCoreSecondsMax: flags.userCoreSeconds,
    schemasMax: flags.maxSchemas,
    userSchemasMax: flags.userSchemas,
    drainTimeoutMs: flags.drainTimeout,
    peers: flags.peers ?? [],
    peerCredentials: {
      tlsCa: flags.peerTlsCa,
      tlsName: flags.peerTlsName,
      tlsCert: flags.peerTlsCert,
      tlsKey: flags.peerTlsKey,
      tokenFile: flags.peerTokenFile,
    },
    clickhouseUrl: flags.clickhouse,
    servicePasswordFile: flags.servicePasswordFile,
    json: flags.json,
    logLevel: flags.logLevel,
  };
}

function workerTargets(flags: OrchestratorFlags): string[] {
  const scheme = flags.nameResolutionScheme;
  if (!SCHEMES.includes(scheme))
    throw new BigtraceError(
      'invalid_option',
      `--name-resolution-scheme ${scheme} must be one of ${SCHEMES.slice(1).join(', ')}`,
    );
  const targets = flags.workers ?? countedWorkers(flags);
  return targets.map((target) =>
    scheme.startsWith('dns') && !target.startsWith('dns:') ? `dns:///${target}` : target,
  );
}

/** Returns the workers that upstream's flags name: one host and `workerCount` consecutive ports. */
function countedWorkers({ workerAddress, workerPort, workerCount }: OrchestratorFlags): string[] {
  if (workerPort + workerCount - 1 > 65535)
    throw new BigtraceError(
      'invalid_option',
      `--worker-port ${workerPort} plus --worker-count ${workerCount} must be <= 65536`,
    );
  return Array.from({ length: workerCount }, (_, at) => `${workerAddress}:${workerPort + at}`);
}
