/** `bigtrace mcp`: the Model Context Protocol, over stdio or HTTP. */

import { Command, InvalidArgumentError, Option } from 'commander';
import { clientCredentialsOptions } from '../lib/common/options/client-credentials-options.ts';
import { loginOptions, passwordOf } from '../lib/common/options/login-options.ts';
import { hostPort, integerFrom } from '../lib/common/options/options.ts';
import { orchestratorVariable } from '../lib/common/options/orchestrator-variable.ts';
import { serverSecurityOptions } from '../lib/common/options/server-security-options.ts';
import { listenOptions, option } from '../lib/common/options/service-options.ts';
import { isWebUrl } from '../lib/common/text/parsed-url.ts';
import { BOUND_MAX, DEFAULT_BOUNDS } from './bounds.ts';
import { type McpFlags, resolveConfig } from './config.ts';
import { serveHttp } from './http.ts';
import { serveStdio } from './stdio.ts';

const SERVER_FLAGS = ['tls-cert', 'tls-key', 'allowed-hosts', 'insecure'];

/** @param env read for BIGTRACE_ANALYST_PASSWORD @param dataDir directory in which `bigtrace up` stores the password */
export function mcpCommand(env: NodeJS.ProcessEnv, dataDir: string): Command {
  const command = new Command('mcp')
    .description('serve the Model Context Protocol to agents: read-only tools over stdio, or HTTP')
    .addHelpText('after', HELP);
  const options = [
    ...loginOptions('analyst', dataDir),
    ...boundOptions(),
    ...peerOptions(env),
    ...httpOptions(),
    option('--log-level <level>', 'lowest level of log lines written to stderr', 'LOG_LEVEL')
      .choices(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info'),
  ];
  for (const one of options) command.addOption(one);
  return command.action(async (flags: McpFlags) => {
    const config = resolveConfig(flags);
    if (config.http !== undefined) return await serveHttp(config, config.http);
    const password = (): string => passwordOf('analyst', flags, env);
    password(); // says at once that there is none
    await serveStdio(config, { username: flags.user, password });
  });
}

const HELP = `
Over stdio, the tools have the rights of --user. Over HTTP, each client logs in as a user of ClickHouse (Authorization:
Basic), and the tools have the rights of that user.`;

function boundOptions(): Option[] {
  const bound = (name: keyof typeof DEFAULT_BOUNDS, text: string): Option =>
    new Option(`--max-${name} <n>`, `most ${text} of one run`)
      .default(DEFAULT_BOUNDS[name])
      .argParser(integerFrom(1, BOUND_MAX));
  return [bound('traces', 'traces'), bound('seconds', 'seconds'), bound('rows', 'rows')];
}

function peerOptions(env: NodeJS.ProcessEnv): Option[] {
  return [
    new Option('--orchestrator <host:port>', 'orchestrator that lists traces')
      .env(orchestratorVariable(env))
      .default('127.0.0.1:5051')
      .argParser(hostPort),
    ...clientCredentialsOptions('orchestrator-'),
    option(
      '--http-api <url>',
      'URL at which people reach the HTTP API, for links to traces',
      'HTTP_API',
    )
      .default('http://127.0.0.1:5001')
      .argParser(webUrl),
    option('--presets <file>', 'YAML file with additional presets', 'PRESETS'),
  ];
}

function httpOptions(): Option[] {
  return [
    new Option('--http', 'serve HTTP at /mcp instead of stdio').default(false),
    ...listenOptions(5003),
    option('--json', 'print the ready line as a JSON object', 'JSON').default(false),
    ...serverSecurityOptions().filter((one) => SERVER_FLAGS.includes(one.name())),
  ];
}

/** @throws InvalidArgumentError */
function webUrl(text: string): string {
  if (isWebUrl(text)) return text;
  throw new InvalidArgumentError('it must be a URL, such as http://127.0.0.1:5001.');
}
