/** Defines the flags of `bigtrace http-api` and their environment variables. */

import { Command, InvalidArgumentError, Option } from 'commander';
import { clientCredentialsOptions } from '../lib/common/options/client-credentials-options.ts';
import { hostPort } from '../lib/common/options/options.ts';
import { orchestratorVariable } from '../lib/common/options/orchestrator-variable.ts';
import { serverSecurityOptions } from '../lib/common/options/server-security-options.ts';
import {
  listenOptions,
  option,
  processOptions,
  time,
} from '../lib/common/options/service-options.ts';
import { isWebUrl, parsedUrl } from '../lib/common/text/parsed-url.ts';
import { proxyCheck } from './base.ts';
import {
  DEFAULT_ORCHESTRATOR,
  type HttpApiConfig,
  type HttpApiFlags,
  resolveConfig,
} from './config.ts';
import { serve } from './serve.ts';
import { parseSettings } from './settings.ts';

/** Parses a comma-separated list of `host:port`. @throws InvalidArgumentError */
function orchestratorList(text: string, before: string[] | undefined): string[] {
  const addresses = text.split(',').filter((address) => address !== '');
  if (addresses.length === 0) throw new InvalidArgumentError('it names no orchestrator.');
  return [...(before ?? []), ...addresses.map(hostPort)];
}

/** Parses a comma-separated list of origins such as `https://host`. @throws InvalidArgumentError */
function originList(text: string, before: string[] | undefined): string[] {
  const origins = text.split(',').filter((origin) => origin !== '');
  for (const origin of origins)
    if (parsedUrl(origin)?.origin !== origin)
      throw new InvalidArgumentError(
        `${origin} is not an origin, such as https://bigtrace.example.`,
      );
  return [...(before ?? []), ...origins];
}

/** Parses trace addresses and patterns, separated by spaces. @throws InvalidArgumentError */
function traceList(text: string): string[] {
  const { addresses } = parseSettings([{ setting_id: 'traces', values: text.split(/\s+/) }]);
  if (addresses.length === 0) throw new InvalidArgumentError('it names no traces.');
  return addresses;
}

/** Parses a comma-separated list of addresses and networks. @throws InvalidArgumentError */
function proxyList(text: string): string[] {
  const proxies = text.split(',').map((one) => one.trim());
  try {
    proxyCheck(proxies);
  } catch (thrown) {
    throw new InvalidArgumentError(`${(thrown as Error).message}.`);
  }
  return proxies;
}

/** Parses the name of a header. @throws InvalidArgumentError */
function headerName(text: string): string {
  if (/^[\w-]+$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('it must be the name of a header, such as X-Forwarded-User.');
}

/** Accepts `http:` and `https:` URLs only, because the console renders them as links. @throws InvalidArgumentError */
function webUrl(text: string): string {
  if (isWebUrl(text)) return text;
  throw new InvalidArgumentError('it must be a URL, such as http://127.0.0.1:8088.');
}

/** @param run called with the resolved configuration */
export function httpApiCommand(
  env: NodeJS.ProcessEnv,
  run: (config: HttpApiConfig) => Promise<void> = serve,
): Command {
  const command = new Command('http-api').description(
    "run the HTTP API: the console, and the backend of Perfetto's BigTrace page",
  );
  const options = [
    ...listenOptions(5001),
    ...processOptions('queries', 10_000),
    ...serverSecurityOptions(),
    ...peerOptions(env),
    ...accessOptions(),
    ...uiOptions(),
  ];
  for (const one of options) command.addOption(one);
  return command.action((flags: HttpApiFlags) => run(resolveConfig(flags)));
}

/** The services that the HTTP API is a client of. */
function peerOptions(env: NodeJS.ProcessEnv): Option[] {
  return [
    new Option(
      '--orchestrator <list>',
      `comma-separated orchestrators, each host:port; name all that ClickHouse uses (default: ${DEFAULT_ORCHESTRATOR})`,
    )
      .env(orchestratorVariable(env))
      .argParser(orchestratorList),
    ...clientCredentialsOptions('orchestrator-', 'orchestrators'),
    option('--clickhouse <url>', 'HTTP URL of ClickHouse', 'CLICKHOUSE')
      .default('http://127.0.0.1:8123')
      .argParser(webUrl),
    option(
      '--service-password-file <file>',
      'file with the password of the ClickHouse users bigtrace_catalog and bigtrace_backend',
      'SERVICE_PASSWORD_FILE',
    ),
  ];
}

/** From where clients come, and who they are. */
function accessOptions(): Option[] {
  return [
    option(
      '--cors-origin <list>',
      'comma-separated origins whose web pages may use the HTTP API, in addition to https://ui.perfetto.dev and this machine',
      'CORS_ORIGIN',
    ).argParser(originList),
    option(
      '--public-url <url>',
      'URL at which clients reach the service, for links (default: as their requests say)',
      'PUBLIC_URL',
    ).argParser(webUrl),
    option(
      '--trusted-proxies <list>',
      'comma-separated addresses and networks of proxies whose headers X-Forwarded-Proto, -Host and -Prefix are true',
      'TRUSTED_PROXIES',
    ).argParser(proxyList),
    option(
      '--trusted-user-header <name>',
      'header in which one of --trusted-proxies names the user that it has authenticated',
      'TRUSTED_USER_HEADER',
    ).argParser(headerName),
    time(
      '--login-life',
      'how long a browser stays logged in with the token of --token-file',
      12 * 3_600_000,
    ),
  ];
}

function uiOptions(): Option[] {
  return [
    time(
      '--table-life',
      'how long the rows of ephemeral queries, and of queries without a table_name, are kept',
      7 * 24 * 3_600_000,
    ),
    option(
      '--default-traces <list>',
      'trace addresses and patterns of queries that name none, separated by spaces (default: the whole catalog)',
      'DEFAULT_TRACES',
    ).argParser(traceList),
    option(
      '--presets <file>',
      'YAML file with additional presets for the BigTrace page',
      'PRESETS',
    ),
    option(
      '--bigtrace-ui <directory>',
      'built Perfetto UI to serve: its index.html at /perfetto/, its bigtrace.html at /bigtrace/',
      'BIGTRACE_UI',
    ),
    option(
      '--perfetto-ui <url>',
      'URL of the Perfetto UI in which the page /open/ID opens traces, unless --bigtrace-ui has one',
      'PERFETTO_UI',
    )
      .default('https://ui.perfetto.dev')
      .argParser(webUrl),
    option(
      '--superset-url <url>',
      'URL of Superset; the console shows a link to it',
      'SUPERSET_URL',
    ).argParser(webUrl),
  ];
}
