/** `bigtrace up`: the whole system on one machine. */
import { Command, Option } from 'commander';
import { integerFrom, port } from '../../common/options.ts';
import { sqlPackageOption } from '../../worker/sql-package-option.ts';
import { defaultDataDir, SAMPLE_TRACES } from '../paths.ts';
import { type UpFlags, upConfig } from './config.ts';
import { runSystem } from './system.ts';

const WORKERS_MAX = 64;
const THREADS_MAX = 256;

function option(flags: string, description: string): Option {
  const [, name = ''] = /^--([a-z-]+)/.exec(flags) ?? [];
  return new Option(flags, description).env(`BIGTRACE_${name.replaceAll('-', '_').toUpperCase()}`);
}

function portOption(flag: string, description: string, number: number): Option {
  return option(`${flag} <port>`, `${description}; 0: any free one`)
    .default(number)
    .argParser(port);
}

export function upCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('up')
    .description('start ClickHouse, an orchestrator and workers, and keep them running')
    .addOption(
      option('--data-dir <dir>', 'tables, caches, passwords and logs').default(defaultDataDir(env)),
    )
    .addOption(
      option('--traces <dir>', 'directory of traces, the root of /local').default(SAMPLE_TRACES),
    )
    .addOption(option('--listen <host>', 'address that everything listens on').default('127.0.0.1'))
    .addOption(
      option(
        '--insecure',
        'other machines may reach the services, whoever they are, and ClickHouse starts where Linux ' +
          'cannot keep its users from your files',
      ).default(false),
    )
    .addOption(portOption('--clickhouse-http-port', "ClickHouse's HTTP port", 8123))
    .addOption(portOption('--clickhouse-tcp-port', "ClickHouse's native port", 9000))
    .addOption(portOption('--orchestrator-port', "the orchestrator's gRPC port", 5051))
    .addOption(portOption('--http-port', "the HTTP port for Perfetto's BigTrace page", 5001))
    .addOption(portOption('--worker-port', "the first worker's gRPC port; the others follow", 5052))
    .addOption(
      option('--workers <n>', 'worker processes').default(2).argParser(integerFrom(1, WORKERS_MAX)),
    )
    .addOption(
      option('--threads <n>', 'threads of each worker (default: the cores, shared out)').argParser(
        integerFrom(1, THREADS_MAX),
      ),
    )
    .addOption(
      option('--clickhouse <url>', 'a ClickHouse server of your own instead of the embedded one'),
    )
    .addOption(sqlPackageOption())
    .addOption(option('--json', 'print one JSON object when everything is ready'))
    .addHelpText('after', HELP)
    .action(async (flags: UpFlags) => {
      process.exitCode = await runSystem(upConfig(flags), env);
    });
}

const HELP = `
Every flag may come from the environment: --data-dir is BIGTRACE_DATA_DIR, and so on.
BIGTRACE_ADMIN_PASSWORD and BIGTRACE_ANALYST_PASSWORD set the passwords of ClickHouse's users admin and
analyst; without them they are made up once and kept in the data directory.`;
