/** `bigtrace bridge`: serves the views of a ClickHouse in which nothing can be executed. */
import { Command, Option } from 'commander';
import { clientCredentialsOptions } from '../../lib/common/options/client-credentials-options.ts';
import { hostPort, httpUrl } from '../../lib/common/options/options.ts';
import { orchestratorVariable } from '../../lib/common/options/orchestrator-variable.ts';
import { serverSecurityOptions } from '../../lib/common/options/server-security-options.ts';
import { listenOptions, option, processOptions } from '../../lib/common/options/service-options.ts';
import { type BridgeFlags, resolveConfig } from './config.ts';
import { serve } from './server.ts';

const DRAIN_MS = 30_000;

const HELP = `
ClickHouse reads rows from it with the table function url(). The views that do so are installed by
bigtrace clickhouse install. Everyone who has the token can run queries as any user: keep it from analysts.`;

export function bridgeCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('bridge')
    .description('serve the views of a ClickHouse that cannot execute programs')
    .addHelpText('after', HELP);
  const options = [
    new Option('--orchestrator <host:port>', 'orchestrator that runs the queries')
      .env(orchestratorVariable(env))
      .default('127.0.0.1:5051')
      .argParser(hostPort),
    ...clientCredentialsOptions('orchestrator-'),
    ...clickHouseOptions(),
    ...listenOptions(5004),
    ...serverSecurityOptions().filter((one) => one.name() !== 'metrics-port'),
    ...processOptions('queries', DRAIN_MS),
  ];
  for (const one of options) command.addOption(one);
  return command.action(async (flags: BridgeFlags) => await serve(resolveConfig(flags)));
}

function clickHouseOptions(): Option[] {
  return [
    option(
      '--clickhouse <url>',
      'HTTP URL of the ClickHouse of the views, for bigtrace_table with more than 10,000 traces (default: none)',
      'BRIDGE_CLICKHOUSE',
    ).argParser(httpUrl),
    option(
      '--clickhouse-user <name>',
      'user of --clickhouse, who may SELECT from bigtrace.*',
      'BRIDGE_CLICKHOUSE_USER',
    ).default('default'),
    option(
      '--clickhouse-password-file <file>',
      'file with the password of --clickhouse-user',
      'BRIDGE_CLICKHOUSE_PASSWORD_FILE',
    ),
  ];
}
