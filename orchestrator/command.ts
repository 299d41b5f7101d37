/** Defines the flags of `bigtrace orchestrator` and their environment variables. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { clientCredentialsOptions } from '../lib/common/options/client-credentials-options.ts';
import { byteSize, hostPort, integerFrom } from '../lib/common/options/options.ts';
import {
  serverSecurityOptions,
  tracingOption,
} from '../lib/common/options/server-security-options.ts';
import {
  listenOptions,
  option,
  processOptions,
  time,
} from '../lib/common/options/service-options.ts';
import { type OrchestratorConfig, type OrchestratorFlags, resolveConfig } from './config.ts';
import { serve } from './serve.ts';

/** Parses a comma-separated list of `host:port` or `dns:///host:port`. @throws InvalidArgumentError */
function targetList(text: string, before: string[] | undefined): string[] {
  const targets = text.split(',').filter((target) => target !== '');
  if (targets.length === 0) throw new InvalidArgumentError('it names no address.');
  for (const target of targets) hostPort(target.replace(/^dns:\/\/\//, ''));
  return [...(before ?? []), ...targets];
}

/** @param run called with the resolved configuration */
export function orchestratorCommand(
  run: (config: OrchestratorConfig) => Promise<void> = serve,
): Command {
  const command = new Command('orchestrator').description(
    'run an orchestrator: distribute queries to workers and return their rows',
  );
  const options = [
    ...listenOptions(5051),
    ...processOptions('queries', 10_000),
    ...serverSecurityOptions(),
    tracingOption(),
    ...workerOptions(),
    ...queryOptions(),
    ...peerOptions(),
    ...catalogOptions(),
  ];
  for (const one of options) command.addOption(one);
  return command.action((flags: OrchestratorFlags) => run(resolveConfig(flags)));
}

function workerOptions(): Option[] {
  return [
    option(
      '-l, --workers <list>',
      'comma-separated workers, each host:port or dns:///host:port (every address of that name)',
      'WORKERS',
    ).argParser(targetList),
    new Option(
      '-w, --worker-address <host>',
      'host of all workers, if --workers is not given',
    ).default('127.0.0.1'),
    new Option('-p, --worker-port <port>', 'port of the first worker')
      .default(5052)
      .argParser(integerFrom(1, 65535)),
    new Option('-n, --worker-count <n>', 'number of workers, on consecutive ports')
      .default(1)
      .argParser(integerFrom(1, 10_000)),
    new Option(
      '-r, --name-resolution-scheme <scheme>',
      'dns:/// connects to every address that a worker name resolves to',
    ).default(''),
    ...clientCredentialsOptions('worker-', 'workers'),
    time('--resolve-interval', 'interval at which dns:/// worker names are resolved again', 5000),
    time(
      '--worker-timeout',
      'time without a response after which a worker is considered lost',
      5000,
    ),
    time(
      '--worker-wait',
      'time that a query waits for a worker before it fails with no_workers; longer than a worker takes to start where workers are scaled to zero',
      30_000,
    ),
  ];
}

function queryOptions(): Option[] {
  return [
    new Option(
      '-t, --max-query-concurrency <n>',
      'maximum number of tasks of one query that workers hold at the same time; 0: as many as they accept',
    )
      .env('BIGTRACE_MAX_QUERY_CONCURRENCY')
      .default(0)
      .argParser(integerFrom(0, 1_000_000)),
    time(
      '--hedge-after',
      'assign a task to a second, idle worker after its worker was silent for this time (at least 3s); 0s disables hedging',
      10_000,
    ),
    option('--max-queries <n>', 'maximum number of queries running at the same time', 'MAX_QUERIES')
      .default(256)
      .argParser(integerFrom(1, 100_000)),
    ...userOptions(),
    time('--query-timeout', 'time limit of a query whose client requests none', 3_600_000),
    time('--query-timeout-max', 'longest time limit that a client may request', 86_400_000),
  ];
}

function userOptions(): Option[] {
  return [
    option(
      '--user-queries <n>',
      'maximum number of queries of one user running at the same time',
      'USER_QUERIES',
    )
      .default(128)
      .argParser(integerFrom(1, 100_000)),
    option(
      '--user-result-bytes <size>',
      'maximum result size returned to one user within an hour; 0: unlimited',
      'USER_RESULT_BYTES',
    )
      .default(2 ** 40, '1TiB')
      .argParser(byteSize),
    option(
      '--user-core-seconds <n>',
      'maximum engine-thread seconds used by one user within an hour; 0: unlimited',
      'USER_CORE_SECONDS',
    )
      .default(1_000_000)
      .argParser(integerFrom(0, 1_000_000_000)),
    option(
      '--max-schemas <n>',
      'maximum number of column findings running at the same time',
      'MAX_SCHEMAS',
    )
      .default(64)
      .argParser(integerFrom(1, 100_000)),
    option(
      '--user-schemas <n>',
      'maximum number of column findings of one user running at the same time',
      'USER_SCHEMAS',
    )
      .default(8)
      .argParser(integerFrom(1, 100_000)),
  ];
}

function peerOptions(): Option[] {
  return [
    option(
      '--peers <list>',
      'comma-separated addresses of all orchestrators behind one name, each host:port or dns:///host:port; calls about queries ask them all',
      'PEERS',
    ).argParser(targetList),
    ...clientCredentialsOptions('peer-', 'other orchestrators'),
  ];
}

function catalogOptions(): Option[] {
  return [
    option(
      '--clickhouse <url>',
      'HTTP URL of the ClickHouse server that holds the catalog',
      'CLICKHOUSE',
    ),
    option(
      '--service-password-file <file>',
      'file with the password of the ClickHouse user bigtrace_catalog',
      'SERVICE_PASSWORD_FILE',
    ),
  ];
}
