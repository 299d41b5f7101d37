/** Starts the system, supervises it, and stops it in order. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { servicePasswordFile, settleServicePassword } from '../../clickhouse/accounts/passwords.ts';
import type { ServerBinary } from '../../clickhouse/binary/choice.ts';
import { makeDirectory } from '../../lib/common/directories.ts';
import { freePort } from '../../lib/common/network/free-port.ts';
import { lossyOutput } from '../../lib/common/observability/lossy-writer.ts';
import { BUNDLED } from '../../lib/engine/engine-choice.ts';
import { EXIT, reportFailure } from '../exit.ts';
import { announcement, type ClickHouseAddress, type SystemAddresses } from './announcement.ts';
import {
  chosenClickHouse,
  embeddedClickHouse,
  ownClickHouse,
  passwordsFromEnv,
} from './clickhouse.ts';
import type { UpConfig } from './config.ts';
import { acquireDataLock } from './data-lock.ts';
import { checkDescriptors } from './descriptors.ts';
import { checkPorts, type PortFlag } from './ports.ts';
import { LogFile } from './processes/log-file.ts';
import { grpcPing, httpPing } from './processes/pings.ts';
import { startService } from './processes/service-process.ts';
import { type Launch, Supervisor } from './processes/supervisor.ts';

/** Time for the processes of a killed `bigtrace up` to end and free their ports. */
const ORPHANS_MS_MAX = 5_000;

/**
 * Two signals within this time count as one: npm forwards Ctrl-C to a process that has already received it from the
 * terminal.
 */
const SAME_SIGNAL_MS = 500;

/** Runs the system. Resolves with the exit code when it has ended. */
export async function runSystem(config: UpConfig, env: NodeJS.ProcessEnv): Promise<number> {
  checkDescriptors();
  process.umask(0o077); // passwords, snapshots, results and logs are readable only by their owner
  makePrivate(config.dataDir);
  const lock = acquireDataLock(config.dataDir);
  const supervisor = new Supervisor(log);
  const stopSignal = onStopSignal(() => {
    supervisor.kill();
    lock.release();
    process.exit(EXIT.interrupted);
  });
  let exitCode: number = EXIT.ok;
  try {
    await checkPorts(config.listen, portFlags(config), lock.wasStale ? ORPHANS_MS_MAX : 0);
    const starting = start(config, env, supervisor);
    starting.catch(() => {}); // a signal may end the start first
    const addresses = await Promise.race([starting, stopSignal]);
    if (addresses !== undefined) {
      lossyOutput(1).write(announcement(config, addresses, supervisor.processes));
      const reason = await Promise.race([stopSignal, supervisor.gaveUp]);
      if (reason !== undefined) exitCode = reportFailure(reason);
    }
  } catch (thrown) {
    exitCode = reportFailure(thrown);
  }
  if (supervisor.processes.length > 0) log('stopping');
  await supervisor.stop();
  lock.release();
  return exitCode;
}

const stderr = lossyOutput(2);

/** Restricts the directories to their owner. Earlier versions created them readable by others. */
function makePrivate(dataDir: string): void {
  makeDirectory(dataDir);
  for (const name of ['logs', 'cache', 'results']) {
    makeDirectory(join(dataDir, name));
    chmodSync(join(dataDir, name), 0o700);
  }
}

function log(line: string): void {
  stderr.write(`bigtrace: ${line}\n`);
}

function onStopSignal(second: () => void): Promise<undefined> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const onSignal = (): void => {
      const nowMs = performance.now();
      if (firstMs === undefined) resolve(undefined);
      else if (nowMs - firstMs > SAME_SIGNAL_MS) second();
      firstMs ??= nowMs;
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}

function portFlags(config: UpConfig): PortFlag[] {
  const workers = config.workerPorts.map((port) => ({ port, flag: '--worker-port' }));
  const rest = [
    { port: config.orchestratorPort, flag: '--orchestrator-port' },
    { port: config.httpPort, flag: '--http-port' },
    ...workers,
  ];
  if (config.clickhouseUrl !== undefined) return rest;
  return [
    { port: config.clickhouseHttpPort, flag: '--clickhouse-http-port' },
    { port: config.clickhouseTcpPort, flag: '--clickhouse-tcp-port' },
    ...rest,
  ];
}

async function start(
  requested: UpConfig,
  env: NodeJS.ProcessEnv,
  supervisor: Supervisor,
): Promise<SystemAddresses> {
  const choice = await chosenClickHouse(requested, env);
  if (choice !== undefined) log(choice.reason);
  // The orchestrator starts before ClickHouse but needs its address.
  const clickhouseHttpPort = requested.clickhouseHttpPort || (await freePort(requested.listen));
  const config = { ...requested, clickhouseHttpPort };
  const clickhouseUrl =
    config.clickhouseUrl === undefined
      ? `http://${hostAndPort(config.listen, clickhouseHttpPort)}`
      : new URL(config.clickhouseUrl).origin;
  settleServicePassword(config.dataDir, passwordsFromEnv(env).service);
  const workers = config.workerPorts.map((_, at) =>
    supervisor.start(`worker-${at + 1}`, worker(config, at)),
  );
  const workerAddresses = await Promise.all(
    workers.map((started, at) => addressOf(started, config, config.workerPorts[at] ?? 0)),
  );
  const orchestrator = supervisor.start(
    'orchestrator',
    orchestratorOver(config, workerAddresses, clickhouseUrl),
  );
  const orchestratorAddress = await addressOf(orchestrator, config, config.orchestratorPort);
  const clickhouseReady = clickhouseOver(config, env, supervisor, {
    orchestrator: orchestratorAddress,
    binary: choice?.binary,
  });
  // Started last and so stopped first: it records in ClickHouse how its queries ended.
  const httpApi = supervisor.start(
    'http-api',
    httpApiOver(config, orchestratorAddress, clickhouseUrl),
  );
  const [clickhouse, http] = await Promise.all([
    announced(clickhouseReady, 'ClickHouse is ready'),
    announced(httpApi, 'the HTTP API is ready'),
    announced(orchestrator, 'the orchestrator is ready'),
    announced(Promise.all(workers), `${workers.length} workers are ready`),
  ]);
  return {
    clickhouse,
    orchestrator: orchestratorAddress,
    http: `http://${http.address}`,
    workers: workerAddresses,
  };
}

/** Returns the address of a service. It waits for the service only if its port is not fixed. */
async function addressOf(
  started: Promise<{ address: string }>,
  { listen }: UpConfig,
  port: number,
): Promise<string> {
  return port === 0 ? (await started).address : hostAndPort(listen, port);
}

async function announced<T>(ready: Promise<T>, line: string): Promise<T> {
  const value = await ready;
  log(line);
  return value;
}

async function clickhouseOver(
  config: UpConfig,
  env: NodeJS.ProcessEnv,
  supervisor: Supervisor,
  parts: { orchestrator: string; binary: ServerBinary | undefined },
): Promise<ClickHouseAddress> {
  if (config.clickhouseUrl !== undefined) return ownClickHouse(config.clickhouseUrl, env);
  const launch = embeddedClickHouse(config, env, { ...parts, log: logOf(config, 'clickhouse') });
  return (await supervisor.start('clickhouse', launch)).address;
}

function worker(config: UpConfig, at: number): Launch<string> {
  const name = `worker-${at + 1}`;
  const log = logOf(config, name);
  return (signal, previous) => {
    const socket = previous ?? hostAndPort(config.listen, config.workerPorts[at] ?? 0);
    const sizes = {
      '--threads': config.threadsPerWorker,
      '--memory-bytes': config.memoryBytesPerWorker,
    };
    const shares = Object.entries(sizes).flatMap(([flag, size]) => [flag, String(size)]);
    const flags = ['--traces', config.tracesDir, ...shares, ...cacheFlags(config, at)];
    const packages = config.sqlPackages.flatMap((each) => ['--sql-package', each]);
    const { runtime, addons } = config.runtime;
    const engine = [
      ...['--engine', config.engineDir ?? BUNDLED],
      ...['--engine-runtime', runtime, '--engine-addons', addons],
    ];
    const own = [...insecureFlags(config), ...flags, ...engine, ...packages];
    const args = ['worker', '--json', '-s', socket, ...own];
    return startService({ name, args, log, signal, ping: grpcPing });
  };
}

/** Cache directories: each worker writes its own, and reads those of the others. */
function cacheFlags({ dataDir, workerPorts }: UpConfig, at: number): string[] {
  return workerPorts.flatMap((_, n) => {
    const name = `worker-${n + 1}`;
    const [snapshots, results] = [join(dataDir, 'cache', name), join(dataDir, 'results', name)];
    return n === at
      ? ['--cache-dir', snapshots, '--result-cache-dir', results]
      : ['--read-cache-dir', snapshots, '--read-result-cache-dir', results];
  });
}

function orchestratorOver(config: UpConfig, workers: string[], clickhouse: string): Launch<string> {
  const log = logOf(config, 'orchestrator');
  return (signal, previous) => {
    const socket = previous ?? hostAndPort(config.listen, config.orchestratorPort);
    const args = [
      ...[
        'orchestrator',
        '--json',
        '-s',
        socket,
        ...insecureFlags(config),
        '-l',
        workers.join(','),
      ],
      ...catalogFlags(config, clickhouse),
    ];
    return startService({ name: 'orchestrator', args, log, signal, ping: grpcPing });
  };
}

function httpApiOver(config: UpConfig, orchestrator: string, clickhouse: string): Launch<string> {
  const log = logOf(config, 'http-api');
  return (signal, previous) => {
    const socket = previous ?? hostAndPort(config.listen, config.httpPort);
    const args = [
      ...[
        'http-api',
        '--json',
        '-s',
        socket,
        ...insecureFlags(config),
        '--orchestrator',
        orchestrator,
      ],
      // Its queries cannot end once everything stops.
      ...[...catalogFlags(config, clickhouse), '--drain-timeout', '0s'],
      ...['--default-traces', '/local/**'],
    ];
    const ping = (address: string) => httpPing(`http://${address}/healthz`);
    return startService({ name: 'http-api', args, log, signal, ping });
  };
}

function catalogFlags({ dataDir }: UpConfig, clickhouse: string): string[] {
  return ['--clickhouse', clickhouse, '--service-password-file', servicePasswordFile(dataDir)];
}

function insecureFlags({ insecure }: UpConfig): string[] {
  return insecure ? ['--insecure'] : [];
}

function logOf(config: UpConfig, name: string): LogFile {
  return new LogFile(join(config.dataDir, 'logs', `${name}.log`));
}

function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
