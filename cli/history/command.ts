/** `bigtrace history`: lists the latest queries sent over HTTP, newest first. */
import { Command, Option } from 'commander';
import { openDatabase } from '../../http-api/queries/database.ts';
import { History } from '../../http-api/queries/history.ts';
import {
  type LoginFlags,
  loginOptions,
  passwordOf,
} from '../../lib/common/options/login-options.ts';
import { integerFrom } from '../../lib/common/options/options.ts';
import { historyText } from './text.ts';

interface HistoryFlags extends LoginFlags {
  limit: number;
  json?: boolean;
}

/** @param env read for BIGTRACE_ANALYST_PASSWORD @param dataDir directory in which `bigtrace up` stores the password */
export function historyCommand(env: NodeJS.ProcessEnv, dataDir: string): Command {
  const command = new Command('history')
    .description('show the latest queries sent over HTTP (table bigtrace.query_history)')
    .addOption(
      new Option('--limit <n>', 'number of queries to show, newest first')
        .default(20)
        .argParser(integerFrom(1, 1000)),
    )
    .option('--json', 'print all fields as a JSON array');
  for (const option of loginOptions('analyst', dataDir)) command.addOption(option);
  return command.action((flags: HistoryFlags) => show(flags, env));
}

async function show(flags: HistoryFlags, env: NodeJS.ProcessEnv): Promise<void> {
  const password = passwordOf('analyst', flags, env);
  const database = openDatabase({
    url: flags.clickhouse,
    username: flags.user,
    password,
  });
  try {
    const all = (await new History(database).list()).slice(0, flags.limit);
    console.log(flags.json ? JSON.stringify(all) : historyText(all, Date.now()));
  } finally {
    await database.close();
  }
}
