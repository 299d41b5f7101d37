/** Validates the flags of `bigtrace up` and fills in defaults. */

import { dirname, resolve } from 'node:path';
import { BigtraceError } from '../../lib/common/errors.ts';
import { type Machine, thisMachine } from '../../lib/common/machine.ts';
import { isLoopback } from '../../lib/common/network/host-port.ts';
import { isWebUrl } from '../../lib/common/text/parsed-url.ts';
import { BUNDLED_DIRECTORY, chosenEngine } from '../../lib/engine/engine-choice.ts';
import type { RuntimeChoice } from '../../lib/engine/index.ts';
import { defaultThreads, INSTANCE_BYTES_MIN } from '../../worker/config.ts';
import { type RuntimeFlags, runtimeChoice } from '../../worker/engine-option.ts';

/** Flags as parsed by commander; undefined if not given. */
export interface UpFlags extends RuntimeFlags {
  dataDir: string;
  traces: string;
  listen: string;
  insecure?: boolean;
  clickhouseHttpPort: number;
  clickhouseTcpPort: number;
  orchestratorPort: number;
  httpPort: number;
  workerPort: number;
  workers: number;
  threads?: number;
  memoryBytes?: number;
  clickhouse?: string;
  clickhouseBinary?: string;
  engine?: string;
  sqlPackage?: string[];
  json?: boolean;
}

export interface UpConfig {
  dataDir: string;
  /** Root directory of /local addresses. */
  tracesDir: string;
  listen: string;
  /** Whether the services may listen on an address that other machines can reach. */
  insecure: boolean;
  clickhouseHttpPort: number;
  clickhouseTcpPort: number;
  orchestratorPort: number;
  /** Port of the HTTP API. */
  httpPort: number;
  /** One port per worker. */
  workerPorts: number[];
  threadsPerWorker: number;
  memoryBytesPerWorker: number;
  /** URL of an external ClickHouse server; undefined for one that `bigtrace up` runs. */
  clickhouseUrl: string | undefined;
  /** Path of the binary whose server to run; undefined: see clickhouse/binary/choice.ts. */
  clickhouseBinary: string | undefined;
  /** Directory of the engine of all workers; undefined for the bundled one. */
  engineDir: string | undefined;
  runtime: RuntimeChoice;
  /** `name=directory` for all workers. */
  sqlPackages: string[];
  json: boolean;
}

/**
 * Share of the machine's memory for the loaded traces of all workers. ClickHouse has the same limit
 * (clickhouse/engine/launch.ts); the rest is for result caches and the processes themselves.
 */
const TRACES_SHARE = 0.4;

/** @throws invalid_option */
export function upConfig(flags: UpFlags, machine: Machine = thisMachine()): UpConfig {
  const { workerPort, workers } = flags;
  const lastPort = workerPort + workers - 1;
  if (workerPort > 0 && lastPort > 65535)
    throw new BigtraceError(
      'invalid_option',
      `--worker-port ${workerPort} with --workers ${workers} needs ports up to ${lastPort}, but the highest port is 65535`,
    );
  const insecure = flags.insecure ?? false;
  if (!insecure && !isLoopback(`${flags.listen}:0`))
    throw new BigtraceError(
      'invalid_option',
      `--listen ${flags.listen} accepts connections from other machines, and the orchestrator and the workers do not ` +
        'authenticate them; pass --insecure to allow this',
    );
  if (flags.clickhouse !== undefined && flags.clickhouseBinary !== undefined)
    throw new BigtraceError(
      'invalid_option',
      '--clickhouse and --clickhouse-binary exclude each other: with --clickhouse, bigtrace up runs no ClickHouse',
    );
  return {
    dataDir: resolve(flags.dataDir),
    tracesDir: resolve(flags.traces),
    listen: flags.listen,
    insecure,
    clickhouseHttpPort: flags.clickhouseHttpPort,
    clickhouseTcpPort: flags.clickhouseTcpPort,
    orchestratorPort: flags.orchestratorPort,
    httpPort: flags.httpPort,
    workerPorts: Array.from({ length: workers }, (_, at) =>
      workerPort === 0 ? 0 : workerPort + at,
    ),
    ...sharePerWorker(flags, machine),
    clickhouseUrl: flags.clickhouse === undefined ? undefined : checkUrl(flags.clickhouse),
    clickhouseBinary: flags.clickhouseBinary,
    engineDir: engineDirOf(flags),
    runtime: runtimeChoice(flags, resolve(flags.dataDir)),
    sqlPackages: flags.sqlPackage ?? [],
    json: flags.json ?? false,
  };
}

/** Each worker's share of memory and processors. The number of threads is limited by both. */
function sharePerWorker(
  { workers, threads, memoryBytes }: UpFlags,
  machine: Machine,
): Pick<UpConfig, 'threadsPerWorker' | 'memoryBytesPerWorker'> {
  const share = memoryBytes ?? Math.floor((machine.memoryBytes * TRACES_SHARE) / workers);
  if (share < INSTANCE_BYTES_MIN)
    throw new BigtraceError(
      'invalid_option',
      `each of ${workers} workers (--workers) has ${share} bytes of memory for loaded traces, but an engine needs ` +
        `at least ${INSTANCE_BYTES_MIN}: start fewer workers, or raise --memory-bytes`,
    );
  const cores = Math.max(1, Math.ceil(machine.cores / workers));
  return {
    threadsPerWorker: threads ?? defaultThreads(share, cores),
    memoryBytesPerWorker: share,
  };
}

/** The workers must not choose another engine while the system runs: they restart with the same directory. */
function engineDirOf({ engine, dataDir }: UpFlags): string | undefined {
  const directory = dirname(chosenEngine(engine, resolve(dataDir)).wasm);
  return directory === BUNDLED_DIRECTORY ? undefined : directory;
}

function checkUrl(text: string): string {
  if (isWebUrl(text)) return text;
  throw new BigtraceError(
    'invalid_option',
    `--clickhouse ${text} must be a URL, such as http://127.0.0.1:8123`,
  );
}
