/** `bigtrace user`: users of the embedded ClickHouse, one for each tool and person. */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { addTeamUser, readTeamUsers, removeTeamUser } from '../../clickhouse/team-users.ts';
import { BigtraceError } from '../../common/errors.ts';
import { integerFrom } from '../../common/options.ts';

const LATER = 'It counts from the next start of `bigtrace up` on.';

interface AddFlags {
  dataDir: string;
  passwordFile?: string;
  grant?: string[];
  queriesPerHour?: number;
  secondsPerHour?: number;
}

export function userCommand(dataDir: string): Command {
  return new Command('user')
    .description('add and remove users of the embedded ClickHouse')
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
    .description('add a user who may read what an analyst may, or change one')
    .argument('<name>')
    .addOption(dataDirOption(dataDir))
    .addOption(
      new Option('--password-file <file>', 'read the password here (default: one is made up)'),
    )
    .addOption(
      new Option('--grant <grant...>', "more privileges, such as 'SELECT, INSERT ON reports.*'"),
    )
    .addOption(new Option('--queries-per-hour <n>', 'bound of its queries').argParser(positive))
    .addOption(
      new Option('--seconds-per-hour <n>', 'bound of the time of its queries').argParser(positive),
    )
    .action((name: string, flags: AddFlags) => {
      const { grant = [], queriesPerHour, secondsPerHour } = flags;
      const user = { name, grants: grant, queriesPerHour, secondsPerHour };
      const file = addTeamUser(flags.dataDir, user, givenPassword(flags.passwordFile));
      console.log(`User ${name} is added; the password is in ${file}. ${LATER}`);
    });
}

function dataDirOption(dataDir: string): Option {
  return new Option('--data-dir <dir>', 'as `bigtrace up` has it')
    .env('BIGTRACE_DATA_DIR')
    .default(dataDir);
}

function givenPassword(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const password = readFileSync(file, 'utf8').trimEnd();
  if (password === '')
    throw new BigtraceError('invalid_option', `--password-file ${file} is empty`);
  return password;
}
