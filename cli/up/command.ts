/** `bigtrace up`: runs the whole system on one machine. */
import { Command, Option } from 'commander';
import { defaultDataDir } from '../../lib/common/data-dir.ts';
import { byteSize, integerFrom, port } from '../../lib/common/options/options.ts';
import { addonsOption, engineOption, runtimeOption } from '../../worker/engine-option.ts';
import { sqlPackageOption } from '../../worker/sql-package-option.ts';
import { SAMPLE_TRACES } from '../paths.ts';
import { type UpFlags, upConfig } from './config.ts';
import { runSystem } from './system.ts';

const WORKERS_MAX = 64;
const THREADS_MAX = 256;

function option(flags: string, description: string): Option {
  const [, name = ''] = /^--([a-z-]+)/.exec(flags) ?? [];
  return new Option(flags, description).env(`BIGTRACE_${name.replaceAll('-', '_').toUpperCase()}`);
}

function portOption(flag: string, description: string, number: number): Option {
  return option(`${flag} <port>`, `${description}; 0 picks a free one`)
    .default(number)
    .argParser(port);
}

const PORT_OPTIONS = (): Option[] => [
  portOption('--clickhouse-http-port', 'HTTP port of ClickHouse', 8123),
  portOption('--clickhouse-tcp-port', 'native protocol port of ClickHouse', 9000),
  portOption('--orchestrator-port', 'gRPC port of the orchestrator', 5051),
  portOption(
    '--http-port',
    "port of the HTTP API (console and backend of Perfetto's BigTrace page)",
    5001,
  ),
  portOption(
    '--worker-port',
    'gRPC port of the first worker; further workers use the following ports',
    5052,
  ),
];

export function upCommand(env: NodeJS.ProcessEnv): Command {
  const command = new Command('up')
    .description(
      'start ClickHouse, an orchestrator, workers and the HTTP API, and keep them running',
    )
    .addOption(
      option('--data-dir <dir>', 'directory for tables, caches, passwords and logs').default(
        defaultDataDir(env),
      ),
    )
    .addOption(
      option('--traces <dir>', 'root directory of /local addresses').default(SAMPLE_TRACES),
    )
    .addOption(
      option('--listen <host>', 'address that all services listen on').default('127.0.0.1'),
    )
    .addOption(
      option(
        '--insecure',
        'accept unauthenticated connections from other machines, and run ClickHouse without the ' +
          'Landlock sandbox if the kernel has none (its users can then read your files)',
      ).default(false),
    );
  for (const portOption of PORT_OPTIONS()) command.addOption(portOption);
  return command
    .addOption(
      option('--workers <n>', 'number of worker processes')
        .default(2)
        .argParser(integerFrom(1, WORKERS_MAX)),
    )
    .addOption(
      option(
        '--threads <n>',
        'number of engine threads per worker (default: the cores divided by --workers, fewer if memory is short)',
      ).argParser(integerFrom(1, THREADS_MAX)),
    )
    .addOption(
      option(
        '--memory-bytes <size>',
        'maximum memory of the loaded traces of each worker (default: 2/5 of the memory divided by --workers)',
      ).argParser(byteSize),
    )
    .addOption(
      option(
        '--clickhouse <url>',
        'HTTP URL of a ClickHouse server to use instead of the embedded engine',
      ),
    )
    .addOption(
      option(
        '--clickhouse-binary <path>',
        'clickhouse program whose server to run instead of the embedded engine (default: the one on the PATH, ' +
          'where there is no embedded engine)',
      ),
    )
    .addOption(engineOption())
    .addOption(runtimeOption())
    .addOption(addonsOption())
    .addOption(sqlPackageOption())
    .addOption(option('--json', 'print one JSON object when the system is ready'))
    .addHelpText('after', HELP)
    .action(async (flags: UpFlags) => {
      process.exitCode = await runSystem(upConfig(flags), env);
    });
}

const HELP = `
Each flag can also be set by an environment variable: --data-dir by BIGTRACE_DATA_DIR, and so on.
BIGTRACE_ADMIN_PASSWORD and BIGTRACE_ANALYST_PASSWORD set the passwords of the ClickHouse users admin and
analyst. If they are not set, the first start generates passwords and stores them in the data directory.`;
