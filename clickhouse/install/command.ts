/** `bigtrace clickhouse install` and `uninstall`: the views on a ClickHouse of which only SQL is accessible. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ClickHouse } from '../../lib/clickhouse/client.ts';
import { replicationIn, tableOf } from '../../lib/clickhouse/replicated.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { SecretFile } from '../../lib/common/network/secret-file.ts';
import { httpUrl } from '../../lib/common/options/options.ts';
import { servicePassword } from '../../lib/common/options/service-password.ts';
import {
  replicationOf,
  requireReplicated,
  requireUsersInSql,
  requireVersion,
} from './requirements.ts';
import type { Services } from './service-users.ts';
import {
  COLLECTION,
  DEFINER,
  grants,
  installStatements,
  uninstallStatements,
} from './statements.ts';

interface ServerFlags {
  url: string;
  user: string;
  passwordFile?: string;
  definer?: string;
  cluster?: string;
  dryRun: boolean;
}

interface InstallFlags extends ServerFlags {
  bridge: string;
  bridgeTokenFile?: string;
  servicePasswordFile?: string;
  replicated: boolean;
}

/** @param tree the built `clickhouse/` directory @param env read for the password */
export function clickHouseCommand(env: NodeJS.ProcessEnv, tree: string): Command {
  return new Command('clickhouse')
    .description('install the views on your own ClickHouse by SQL alone')
    .addCommand(installCommand(env, tree))
    .addCommand(uninstallCommand(env, tree));
}

function installCommand(env: NodeJS.ProcessEnv, tree: string): Command {
  const command = new Command('install')
    .description('create or update the views, and what they need; may be repeated')
    .addHelpText('after', HELP);
  const options = [
    ...serverOptions(),
    new Option('--bridge <url>', 'URL of `bigtrace bridge` as ClickHouse reaches it')
      .makeOptionMandatory()
      .argParser(httpUrl),
    new Option('--bridge-token-file <file>', 'file with the bearer token of the bridge'),
    new Option(
      '--service-password-file <file>',
      'create the users of `bigtrace http-api` and of /where/, with the password in the file',
    ).conflicts('definer'),
    new Option(
      '--replicated',
      'create the tables as ReplicatedMergeTree, with the macros {shard} and {replica}',
    ).default(false),
  ];
  for (const one of options) command.addOption(one);
  return command.action(async (flags: InstallFlags) => {
    const { bridge, definer, cluster, bridgeTokenFile, replicated } = flags;
    const token = bridgeTokenFile === undefined ? undefined : new SecretFile(bridgeTokenFile).first;
    const sql = [...residentSql(tree).values()];
    const client = clientOf(flags, env);
    try {
      if (!flags.dryRun) await requireVersion(loginOf(flags, env));
      const replication = await replicationOf(client, flags);
      const statements = (secret: string | undefined): string[] =>
        installStatements(sql, {
          ...{ bridge, token: secret, definer, cluster, replication },
          services: servicesOf(flags, tree),
        });
      if (flags.dryRun) return print(statements(token === undefined ? undefined : '[token]'));
      if (definer === undefined) await requireUsersInSql(client);
      const tables = sql.flatMap((statement) => tableOf(statement) ?? []);
      if (replicated) await requireReplicated(client, tables, cluster);
      for (const statement of statements(token)) await client.command(statement);
      await requireBridge(client, flags);
      if (replicated && (await replicationIn('bigtrace_results', client)) === 'none')
        process.stdout.write(RESULTS_HERE);
    } finally {
      await client.close();
    }
    process.stdout.write(`The views are installed on ${flags.url}.\n`);
  });
}

function usersXml(tree: string): string {
  return readFileSync(join(tree, 'users.d/bigtrace.xml'), 'utf8');
}

/** For a dry run, the hash of the password is a placeholder. */
function servicesOf(
  { servicePasswordFile, dryRun }: InstallFlags,
  tree: string,
): Services | undefined {
  if (servicePasswordFile === undefined) return undefined;
  const password = servicePassword(servicePasswordFile);
  if (password === '')
    throw new BigtraceError(
      'invalid_option',
      `--service-password-file ${servicePasswordFile} is empty`,
    );
  const hash = createHash('sha256').update(password).digest('hex');
  return { usersXml: usersXml(tree), passwordHash: dryRun ? '[hash]' : hash };
}

const RESULTS_HERE =
  'The database bigtrace_results is not Replicated: its tables are on this server only. To change that, ' +
  'copy its tables elsewhere, drop it, and run install again.\n';

const HELP = `
The user needs the privileges that it grants: those of access management, and CREATE NAMED COLLECTION. With --definer,
only the latter; that user must exist, with these privileges:
${grants('USER').join(';\n')};`;

function uninstallCommand(env: NodeJS.ProcessEnv, tree: string): Command {
  const command = new Command('uninstall').description(
    'remove the views, and what install created for them; tables with rows are kept',
  );
  for (const one of serverOptions()) command.addOption(one);
  return command.action(async (flags: ServerFlags) => {
    const views = [...residentSql(tree)].flatMap(
      ([, sql]) => /VIEW (?:IF NOT EXISTS )?bigtrace\.(\w+)/.exec(sql)?.[1] ?? [],
    );
    const client = clientOf(flags, env);
    try {
      if (!flags.dryRun) await requireVersion(loginOf(flags, env));
      const replication = await replicationOf(client, flags);
      const statements = uninstallStatements(views, usersXml(tree), {
        ...{ definer: flags.definer, cluster: flags.cluster, replication },
      });
      if (flags.dryRun) return print(statements);
      for (const statement of statements) await client.command(statement);
    } finally {
      await client.close();
    }
    process.stdout.write(`The views are removed from ${flags.url}.\n`);
  });
}

function serverOptions(): Option[] {
  return [
    new Option('--url <url>', 'HTTP URL of ClickHouse').makeOptionMandatory().argParser(httpUrl),
    new Option('--user <name>', 'ClickHouse user to log in as').default('default'),
    new Option(
      '--password-file <file>',
      'file with the password; ignored if BIGTRACE_CLICKHOUSE_PASSWORD is set',
    ),
    new Option('--cluster <name>', 'run the statements ON CLUSTER'),
    new Option(
      '--definer <user>',
      `existing user that the views run as (default: create ${DEFINER} and its grants)`,
    ).argParser(userName),
    new Option('--dry-run', 'print the statements, without the token, and run none').default(false),
  ];
}

/** The statements of `sql/` by name; those of `sql-resident/` replace those of the same name. */
function residentSql(tree: string): Map<string, string> {
  const resident = new Set(readdirSync(join(tree, 'sql-resident')));
  const names = new Set([...readdirSync(join(tree, 'sql')), ...resident]);
  return new Map(
    [...names].sort().map((name) => {
      const directory = resident.has(name) ? 'sql-resident' : 'sql';
      return [name, readFileSync(join(tree, directory, name), 'utf8')];
    }),
  );
}

/** @throws invalid_option if ClickHouse cannot reach the bridge */
async function requireBridge(client: ClickHouse, { bridge }: InstallFlags): Promise<void> {
  try {
    await client.rows('SELECT count() FROM bigtrace.progress');
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BigtraceError(
      'invalid_option',
      `the views are installed, but ClickHouse cannot read from the bridge ${bridge}: ${text}; ` +
        `check --bridge, --bridge-token-file, remote_url_allow_hosts of the server and the grants on ${COLLECTION}`,
      { cause },
    );
  }
}

function loginOf(
  { url, user: username, passwordFile }: ServerFlags,
  env: NodeJS.ProcessEnv,
): { url: string; username: string; password: string } {
  const password =
    env['BIGTRACE_CLICKHOUSE_PASSWORD'] ??
    (passwordFile === undefined ? '' : new SecretFile(passwordFile).text);
  return { url, username, password };
}

function clientOf(flags: ServerFlags, env: NodeJS.ProcessEnv): ClickHouse {
  return new ClickHouse(loginOf(flags, env), {
    silenceMsMax: 60_000,
    errors: {
      rejected: 'invalid_option',
      denied: 'invalid_option',
      unavailable: 'invalid_option',
    },
  });
}

function print(statements: readonly string[]): void {
  const texts = statements.map((one) => `${one.replace(/^--.*\n/gm, '')};`);
  process.stdout.write(`${texts.join('\n\n')}\n`);
}

/** @throws InvalidArgumentError */
function userName(text: string): string {
  if (/^[A-Za-z_]\w*$/.test(text)) return text;
  throw new InvalidArgumentError('it must be a name of letters, digits and _.');
}
