/** The command `bigtrace materialize` and its flags. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import {
  openRunLock,
  type RunLock,
  reasonOf,
  waitingFor,
} from '../../lib/clickhouse/run-lock/run-lock.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import {
  type LoginFlags,
  loginOptions,
  passwordOf,
} from '../../lib/common/options/login-options.ts';
import { openDatabase } from '../queries/database.ts';
import { parseSettings } from '../settings.ts';
import { checkScript, type Materialized, materialize, summaryText } from './materialize.ts';

interface MaterializeFlags extends LoginFlags {
  name: string;
  sql: string;
  traces: string[];
  where: string;
  structure?: string;
  strict?: boolean;
  json?: boolean;
}

/** @param env read for BIGTRACE_ADMIN_PASSWORD @param dataDir directory in which `bigtrace up` stores the password */
export function materializeCommand(env: NodeJS.ProcessEnv, dataDir: string): Command {
  const command = new Command('materialize')
    .description(
      'store the rows of a script over the traces of the catalog in the ClickHouse table ' +
        'bigtrace_results.NAME; a later run reads only new and changed traces (run `bigtrace index` first)',
    )
    .requiredOption('--name <name>', 'name of the table in bigtrace_results')
    .requiredOption('--sql <sql>', 'script to run; @FILE reads it from FILE')
    .option('--traces <address...>', 'trace addresses or patterns', ['/local/**'])
    .option(
      '--where <expression>',
      'select traces by a ClickHouse expression over the catalog bigtrace.traces',
      '',
    )
    .option(
      '--structure <columns>',
      "names and types of the columns, such as 'name String, dur Int64' (default: found by running the script on a few traces)",
    )
    .option('--strict', 'end the run when a trace fails')
    .option('--json', 'print the result as JSON');
  for (const option of loginOptions('admin', dataDir)) command.addOption(option);
  return command.action((flags: MaterializeFlags) => run(flags, env));
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
    structure: flags.structure,
  };
  const password = (): string => passwordOf('admin', flags, env);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () =>
      stop.abort(new BigtraceError('cancelled', 'the run was interrupted')),
    );
  const login = { url: clickhouse, username: user, password };
  const database = openDatabase(login, stop.signal);
  const locks = openDatabase(login); // goes on when the run is ended
  let lock: RunLock | undefined;
  try {
    lock = await openRunLock(locks, {
      name: `materialize ${flags.name}`,
      onLost: (error) => stop.abort(error),
      onWait: waitingFor,
      signal: stop.signal,
    });
    const onBatch = (sofar: Materialized): void => {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${summaryText(sofar)}`);
    };
    const result = await materialize(plan, database, onBatch, lock);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : `${summaryText(result)}\n`);
  } catch (error) {
    throw await reasonOf(error, lock);
  } finally {
    await lock?.release();
    await Promise.all([database.close(), locks.close()]);
  }
}
