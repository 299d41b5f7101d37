/** The flags of `bigtrace materialize`. */
import { existsSync, readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { BigtraceError } from '../common/errors.ts';
import { Database } from './database.ts';
import { checkScript, materialize, told } from './materialize.ts';
import { parseSettings } from './settings.ts';

interface MaterializeFlags {
  name: string;
  sql: string;
  traces: string[];
  where: string;
  strict?: boolean;
  clickhouse: string;
  user: string;
  passwordFile: string;
  json?: boolean;
}

/** `env`: for BIGTRACE_ADMIN_PASSWORD; `dataDir`: where `bigtrace up` keeps the password. */
export function materializeCommand(env: NodeJS.ProcessEnv, dataDir: string): Command {
  return new Command('materialize')
    .description(
      'keep the answers of all traces of the catalog in the ClickHouse table bigtrace_results.NAME; ' +
        'run again, it asks only traces that are new or changed (after `bigtrace index`)',
    )
    .requiredOption('--name <name>', 'of the table')
    .requiredOption('--sql <sql>', 'a script, or @FILE that holds it')
    .option('--traces <address...>', 'addresses or patterns', ['/local/**'])
    .option('--where <expression>', 'over bigtrace.traces: only the traces for which it holds', '')
    .option('--strict', 'end with the first trace that fails')
    .addOption(
      new Option('--clickhouse <url>', "ClickHouse's HTTP interface")
        .env('BIGTRACE_CLICKHOUSE')
        .default('http://127.0.0.1:8123'),
    )
    .addOption(new Option('--user <name>', 'its user').default('admin'))
    .addOption(
      new Option(
        '--password-file <file>',
        'file with the password; BIGTRACE_ADMIN_PASSWORD comes first',
      ).default(`${dataDir}/admin.password`),
    )
    .option('--json', 'print the result as JSON')
    .action((flags: MaterializeFlags) => run(flags, env));
}

async function run(flags: MaterializeFlags, env: NodeJS.ProcessEnv): Promise<void> {
  const { sql, traces, where, strict, clickhouse, user } = flags;
  const setting = (setting_id: string, ...values: string[]) => ({ setting_id, values });
  const plan = {
    name: flags.name,
    sql: checkScript(sql.startsWith('@') ? readFileSync(sql.slice(1), 'utf8') : sql),
    settings: parseSettings([
      setting('traces', ...traces),
      setting('where', where),
      setting('on_failure', strict ? 'strict' : 'lenient'),
    ]),
  };
  const password = env['BIGTRACE_ADMIN_PASSWORD'] || passwordIn(flags.passwordFile);
  const database = new Database(clickhouse, password, user);
  try {
    const result = await materialize(plan, database, (sofar) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${told(sofar)}`);
    });
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : `${told(result)}\n`);
  } finally {
    await database.close();
  }
}

function passwordIn(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trimEnd();
  throw new BigtraceError(
    'invalid_option',
    `no password: ${file} is not there; set BIGTRACE_ADMIN_PASSWORD or --password-file`,
  );
}
