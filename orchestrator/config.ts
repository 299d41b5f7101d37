/** Flags to one checked, complete configuration; pure. */
import { BigtraceError } from '../common/errors.ts';
import type { LogLevel } from '../common/log.ts';

/** What commander hands over: flags, their variables, or defaults. */
export interface OrchestratorFlags {
  listen: string;
  port: number;
  /** `host:port` in place of listen and port. */
  socket?: string;
  workers?: string[];
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
  drainTimeout: number;
  clickhouse?: string;
  servicePasswordFile?: string;
  json: boolean;
  logLevel: LogLevel;
}

export interface OrchestratorConfig {
  /** `host:port` to listen on; port 0 picks a free one. */
  socket: string;
  /** `host:port` or `dns:///host:port`. */
  workers: string[];
  resolveIntervalMs: number;
  workerTimeoutMs: number;
  workerWaitMs: number;
  /** 0: as many as the workers take. */
  tracesInFlightMax: number;
  /** 0: never. */
  hedgeAfterMs: number;
  queryTimeoutMs: number;
  queryTimeoutMsMax: number;
  queriesMax: number;
  drainTimeoutMs: number;
  /** ClickHouse's HTTP interface: where the catalog of traces is. */
  clickhouseUrl: string | undefined;
  /** With the password of ClickHouse's user bigtrace_catalog. */
  servicePasswordFile: string | undefined;
  json: boolean;
  logLevel: LogLevel;
}

const SCHEMES = ['', 'ipv4:', 'ipv6:', 'dns:', 'dns:///'];

/** @throws invalid_option naming the flag */
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
  return {
    socket: flags.socket ?? `${host}:${flags.port}`,
    workers: workerTargets(flags),
    resolveIntervalMs: flags.resolveInterval,
    workerTimeoutMs: flags.workerTimeout,
    workerWaitMs: flags.workerWait,
    tracesInFlightMax: flags.maxQueryConcurrency,
    hedgeAfterMs: flags.hedgeAfter,
    queryTimeoutMs: flags.queryTimeout,
    queryTimeoutMsMax: flags.queryTimeoutMax,
    queriesMax: flags.maxQueries,
    drainTimeoutMs: flags.drainTimeout,
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

/** Upstream's way to name workers: an address and ports from a first one on. */
function countedWorkers({ workerAddress, workerPort, workerCount }: OrchestratorFlags): string[] {
  if (workerPort + workerCount - 1 > 65535)
    throw new BigtraceError(
      'invalid_option',
      `--worker-port ${workerPort} plus --worker-count ${workerCount} must be <= 65536`,
    );
  return Array.from({ length: workerCount }, (_, at) => `${workerAddress}:${workerPort + at}`);
}
