/** `bigtrace user`: manages users of the embedded ClickHouse, for people and tools. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import {
  addTeamUser,
  readTeamUsers,
  removeTeamUser,
} from '../../clickhouse/accounts/team-users.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { integerFrom } from '../../lib/common/options/options.ts';

const LATER = 'This takes effect at the next start of `bigtrace up`.';

interface AddFlags {
  dataDir: string;
  passwordFile?: string;
  grant?: string[];
  queriesPerHour?: number;
  secondsPerHour?: number;
}

export function userCommand(dataDir: string): Command {
  return new Command('user')
    .description('add, list and remove users of the embedded ClickHouse')
    .addCommand(addCommand(dataDir))
    .addCommand(
      new Command('remove')
        .description('remove a user')
        .argument('<name>')
        .addOption(dataDirOption(dataDir))
        .action((name: string, flags: { dataDir: string }) => {
          removeTeamUser(flags.dataDir, name);
          console.log(`User ${name} is removed. ${LATER}`);
        }),
    )
    .addCommand(
      new Command('list')
        .description('print the users as JSON')
        .addOption(dataDirOption(dataDir))
        .action((flags: { dataDir: string }) => {
          console.log(JSON.stringify(readTeamUsers(flags.dataDir), null, 2));
        }),
    );
}

function addCommand(dataDir: string): Command {
  const positive = integerFrom(1, Number.MAX_SAFE_INTEGER);
  return new Command('add')
    .description('add or change a user, who gets the privileges of analyst and those of --grant')
    .argument('<name>')
    .addOption(dataDirOption(dataDir))
    .addOption(
      new Option('--password-file <file>', 'file with the password (default: generate one)'),
    )
    .addOption(
      new Option(
        '--grant <grant...>',
        "additional privileges, such as 'SELECT, INSERT ON reports.*'",
      ),
    )
    .addOption(
      new Option('--queries-per-hour <n>', 'maximum number of queries per hour').argParser(
        positive,
      ),
    )
    .addOption(
      new Option(
        '--seconds-per-hour <n>',
        'maximum execution time of all queries per hour, in seconds',
      ).argParser(positive),
    )
    .action((name: string, flags: AddFlags) => {
      const { grant = [], queriesPerHour, secondsPerHour } = flags;
      const user = { name, grants: grant, queriesPerHour, secondsPerHour };
      const file = addTeamUser(flags.dataDir, user, passwordFromFlags(flags.passwordFile));
      console.log(`User ${name} is added; the password is in ${file}. ${LATER}`);
    });
}

function dataDirOption(dataDir: string): Option {
  return new Option('--data-dir <dir>', 'data directory of `bigtrace up`')
    .env('BIGTRACE_DATA_DIR')
    .default(dataDir);
}

function passwordFromFlags(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const password = readFileSync(file, 'utf8').trimEnd();
  if (password === '')
    throw new BigtraceError('invalid_option', `--password-file ${file} is empty`);
  return password;
}
