/** The flags of `bigtrace orchestrator`, and the variables of the same meaning. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { edgeOptions } from '../common/edge-options.ts';
import { byteSize, durationMs, hostPort, integerFrom, port } from '../common/options.ts';
import { type OrchestratorConfig, type OrchestratorFlags, resolveConfig } from './config.ts';
import { serve } from './serve.ts';

/** `host:port` or `dns:///host:port`, one or more, with commas between. */
function workerList(text: string, before: string[] | undefined): string[] {
  const targets = text.split(',').filter((target) => target !== '');
  if (targets.length === 0) throw new InvalidArgumentError('it names no worker.');
  for (const target of targets) hostPort(target.replace(/^dns:\/\/\//, ''));
  return [...(before ?? []), ...targets];
}

/** `https://host`, one or more, with commas between. */
function originList(text: string, before: string[] | undefined): string[] {
  const origins = text.split(',').filter((origin) => origin !== '');
  for (const origin of origins)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw new InvalidArgumentError(`${origin} is no origin, such as https://bigtrace.example.`);
  return [...(before ?? []), ...origins];
}

/** Becomes a link: no other scheme than the web's. */
function webUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError('it must be a URL, such as http://127.0.0.1:8088.');
}

/** @param run what is done with the configuration */
export function orchestratorCommand(
  run: (config: OrchestratorConfig) => Promise<void> = serve,
): Command {
  const command = new Command('orchestrator').description(
    'Spreads queries over workers and gathers what they answer.',
  );
  const options = [
    ...ownOptions(),
    ...edgeOptions(),
    ...workerOptions(),
    ...queryOptions(),
    ...catalogOptions(),
    ...httpOptions(),
  ];
  for (const one of options) command.addOption(one);
  return command.action((flags: OrchestratorFlags) => run(resolveConfig(flags)));
}

function ownOptions(): Option[] {
  return [
    option('--listen <host>', 'address to listen on', 'LISTEN').default('127.0.0.1'),
    option('--port <port>', 'port to listen on; 0 picks a free one', 'PORT')
      .default(5051)
      .argParser(port),
    new Option('-s, --socket <host:port>', 'both at once').argParser(hostPort),
    option('--json', 'say that it is ready as a JSON object', 'JSON').default(false),
    option('--log-level <level>', 'what is logged on stderr', 'LOG_LEVEL')
      .choices(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info'),
    time('--drain-timeout', 'how long SIGTERM waits for running queries', 10_000),
  ];
}

function workerOptions(): Option[] {
  return [
    option(
      '-l, --workers <list>',
      'host:port or dns:///host:port, commas between',
      'WORKERS',
    ).argParser(workerList),
    new Option('-w, --worker-address <host>', 'host of all workers').default('127.0.0.1'),
    new Option('-p, --worker-port <port>', 'port of the first worker')
      .default(5052)
      .argParser(integerFrom(1, 65535)),
    new Option('-n, --worker-count <n>', 'number of workers, on ports that follow each other')
      .default(1)
      .argParser(integerFrom(1, 10_000)),
    new Option(
      '-r, --name-resolution-scheme <scheme>',
      'dns:/// follows all addresses that the names of workers have',
    ).default(''),
    ...workerPeerOptions(),
    time('--resolve-interval', 'how often names of workers are looked up again', 5000),
    time('--worker-timeout', 'a worker that does not answer this long is lost', 5000),
    time('--worker-wait', 'how long a query waits when there is no worker', 3000),
  ];
}

function workerPeerOptions(): Option[] {
  return [
    option('--worker-tls-ca <file>', 'workers have TLS, by this CA (PEM)', 'WORKER_TLS_CA'),
    option(
      '--worker-tls-name <name>',
      'name in their certificate (default: their address)',
      'WORKER_TLS_NAME',
    ),
    option('--worker-tls-cert <file>', 'certificate that workers are shown', 'WORKER_TLS_CERT'),
    option('--worker-tls-key <file>', 'its key', 'WORKER_TLS_KEY'),
    option(
      '--worker-token-file <file>',
      'file with the bearer token that workers are sent',
      'WORKER_TOKEN_FILE',
    ),
  ];
}

function queryOptions(): Option[] {
  return [
    new Option(
      '-t, --max-query-concurrency <n>',
      'traces of one query that are with workers at a time; 0: as many as these take',
    )
      .env('BIGTRACE_MAX_QUERY_CONCURRENCY')
      .default(0)
      .argParser(integerFrom(0, 1_000_000)),
    time(
      '--hedge-after',
      'a trace whose worker has been silent this long (3s at least) is given to an idle worker too; 0s: never',
      10_000,
    ),
    option('--max-queries <n>', 'queries at a time', 'MAX_QUERIES')
      .default(256)
      .argParser(integerFrom(1, 100_000)),
    ...userOptions(),
    time('--query-timeout', 'time limit of a query', 3_600_000),
    time('--query-timeout-max', 'longest time limit that a client may ask for', 86_400_000),
  ];
}

function userOptions(): Option[] {
  return [
    option('--user-queries <n>', 'queries of one user at a time', 'USER_QUERIES')
      .default(128)
      .argParser(integerFrom(1, 100_000)),
    option(
      '--user-result-bytes <size>',
      'result bytes of one user within an hour; 0: any number',
      'USER_RESULT_BYTES',
    )
      .default(2 ** 40, '1TiB')
      .argParser(byteSize),
    option(
      '--user-core-seconds <n>',
      "seconds of workers' threads of one user within an hour; 0: any number",
      'USER_CORE_SECONDS',
    )
      .default(1_000_000)
      .argParser(integerFrom(0, 1_000_000_000)),
    option('--max-schemas <n>', 'queries whose columns are found at a time', 'MAX_SCHEMAS')
      .default(64)
      .argParser(integerFrom(1, 100_000)),
    option('--user-schemas <n>', 'of these, queries of one user', 'USER_SCHEMAS')
      .default(8)
      .argParser(integerFrom(1, 100_000)),
  ];
}

function catalogOptions(): Option[] {
  return [
    option(
      '--clickhouse <url>',
      "ClickHouse's HTTP interface, where the catalog of traces is",
      'CLICKHOUSE',
    ),
    option(
      '--service-password-file <file>',
      "file with the password of ClickHouse's users bigtrace_catalog and bigtrace_backend",
      'SERVICE_PASSWORD_FILE',
    ),
  ];
}

function httpOptions(): Option[] {
  return [
    option(
      '--http-port <port>',
      "HTTP port of the backend for Perfetto's BigTrace page; needs --clickhouse; 0 picks a free one",
      'HTTP_PORT',
    )
      .default(5001)
      .argParser(port),
    option(
      '--cors-origin <list>',
      'origins whose pages may use it, beside ui.perfetto.dev and this machine; commas between',
      'CORS_ORIGIN',
    ).argParser(originList),
    option('--presets <file>', 'YAML file of further presets for its users', 'PRESETS'),
    option('--superset-url <url>', 'Superset, for a link on the console', 'SUPERSET_URL').argParser(
      webUrl,
    ),
  ];
}

function option(flags: string, text: string, variable: string): Option {
  return new Option(flags, text).env(`BIGTRACE_${variable}`);
}

function time(flag: string, text: string, defaultMs: number): Option {
  const variable = flag.slice(2).replaceAll('-', '_').toUpperCase();
  return option(`${flag} <time>`, text, variable)
    .default(defaultMs, `${defaultMs / 1000}s`)
    .argParser(durationMs);
}
