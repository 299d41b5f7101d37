/** `bigtrace history`: the queries that came over HTTP, newest first. */
import { existsSync, readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { Database } from '../../backend/database.ts';
import { History } from '../../backend/history.ts';
import { BigtraceError } from '../../common/errors.ts';
import { integerFrom } from '../../common/options.ts';
import { historyText } from './text.ts';

interface HistoryFlags {
  limit: number;
  clickhouse: string;
  user: string;
  passwordFile: string;
  json?: boolean;
}

/** `env`: for BIGTRACE_ANALYST_PASSWORD; `dataDir`: where `bigtrace up` keeps the password. */
export function historyCommand(env: NodeJS.ProcessEnv, dataDir: string): Command {
  return new Command('history')
    .description('show the queries that came over HTTP (table bigtrace.query_history)')
    .addOption(
      new Option('--limit <n>', 'as many, the newest ones')
        .default(20)
        .argParser(integerFrom(1, 1000)),
    )
    .addOption(
      new Option('--clickhouse <url>', "ClickHouse's HTTP interface")
        .env('BIGTRACE_CLICKHOUSE')
        .default('http://127.0.0.1:8123'),
    )
    .addOption(new Option('--user <name>', 'its user').default('analyst'))
    .addOption(
      new Option(
        '--password-file <file>',
        'file with the password; BIGTRACE_ANALYST_PASSWORD comes first',
      ).default(`${dataDir}/analyst.password`),
    )
    .option('--json', 'all of it, as a JSON array')
    .action((flags: HistoryFlags) => show(flags, env));
}

async function show(flags: HistoryFlags, env: NodeJS.ProcessEnv): Promise<void> {
  const password = env['BIGTRACE_ANALYST_PASSWORD'] || passwordIn(flags.passwordFile);
  const database = new Database(flags.clickhouse, password, flags.user);
  try {
    const all = (await new History(database).list()).slice(0, flags.limit);
    console.log(flags.json ? JSON.stringify(all) : historyText(all, Date.now()));
  } finally {
    await database.close();
  }
}

function passwordIn(file: string): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trimEnd();
  throw new BigtraceError(
    'invalid_option',
    `no password: ${file} is not there; set BIGTRACE_ANALYST_PASSWORD or --password-file`,
  );
}
