/** Flags of commands that log in to ClickHouse: its URL, the user, and the file with the password. */
import { existsSync, readFileSync } from 'node:fs';
import { Option } from 'commander';
import { BigtraceError } from '../errors.ts';

export interface LoginFlags {
  /** URL of the HTTP interface. */
  clickhouse: string;
  user: string;
  passwordFile: string;
}

/** The default user of a command, which also names the variable and the default file of the password. */
type LoginUser = 'admin' | 'analyst';

/** @param dataDir directory in which `bigtrace up` stores the passwords */
export function loginOptions(user: LoginUser, dataDir: string): Option[] {
  return [
    new Option('--clickhouse <url>', 'HTTP URL of ClickHouse')
      .env('BIGTRACE_CLICKHOUSE')
      .default('http://127.0.0.1:8123'),
    new Option('--user <name>', 'ClickHouse user to log in as').default(user),
    new Option(
      '--password-file <file>',
      `file with the password; ignored if ${variableOf(user)} is set`,
    ).default(`${dataDir}/${user}.password`),
  ];
}

/** Returns the password, from the variable or else the file. @throws invalid_option if neither exists */
export function passwordOf(
  user: LoginUser,
  { passwordFile }: LoginFlags,
  env: NodeJS.ProcessEnv,
): string {
  const variable = variableOf(user);
  const password = env[variable];
  if (password) return password;
  if (existsSync(passwordFile)) return readFileSync(passwordFile, 'utf8').trimEnd();
  throw new BigtraceError(
    'invalid_option',
    `no password given: ${passwordFile} does not exist; set ${variable}, or pass --password-file`,
  );
}

function variableOf(user: LoginUser): string {
  return `BIGTRACE_${user.toUpperCase()}_PASSWORD`;
}
