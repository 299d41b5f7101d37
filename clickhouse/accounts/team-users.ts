/**
 * Users that the operator adds to the embedded engine, stored in `<data dir>/users`. The engine has no storage for
 * users (it rejects `CREATE USER`) and reads its configuration only once, so each start writes the users into the
 * configuration.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../lib/common/directories.ts';
import { BigtraceError } from '../../lib/common/errors.ts';
import { hashOf, newPassword, readPassword } from './passwords.ts';
import { writePrivateFile } from './private-file.ts';

export interface TeamUser {
  name: string;
  /** Privileges beyond those of analyst, such as `SELECT ON reports.*`. */
  grants: string[];
  queriesPerHour: number | undefined;
  /** Total execution time of the user's queries per hour, in seconds. */
  secondsPerHour: number | undefined;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
const RESERVED = /^(admin|analyst|default|bigtrace_.*)$/;

/** Role of every team user (clickhouse/users.d/bigtrace.xml). */
const READER_ROLE = 'bigtrace_reader';

/** Role that may also write one database. */
const WRITER_ROLE = 'analyst_rw';

const READING = ['SELECT', 'SHOW'];
const WRITING = [
  ...['INSERT', 'ALTER', 'OPTIMIZE', 'TRUNCATE'],
  ...['CREATE DATABASE', 'CREATE TABLE', 'CREATE VIEW', 'DROP DATABASE', 'DROP TABLE', 'DROP VIEW'],
];

/**
 * Matches valid grants only. ClickHouse must accept whatever matches, because an invalid grant would prevent the
 * engine's next start.
 */
const GRANT = new RegExp(
  `^(?:${[...READING, ...WRITING].join('|')})(?:, (?:${[...READING, ...WRITING].join('|')}))* ON \\w+\\.(?:\\*|\\w+)$`,
);

export function readTeamUsers(dataDir: string): TeamUser[] {
  const path = listFile(dataDir);
  if (!existsSync(path)) return [];
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as TeamUser[]).map(checked);
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new BigtraceError('invalid_option', `${path}: ${text}`, { cause });
  }
}

/**
 * Adds a user, or replaces the one of that name.
 * @param password undefined keeps the existing password, or generates one
 * @returns the path of the password file
 * @throws invalid_option
 */
export function addTeamUser(dataDir: string, user: TeamUser, password: string | undefined): string {
  checked(user);
  const others = readTeamUsers(dataDir).filter(({ name }) => name !== user.name);
  makeDirectory(join(dataDir, 'users'), 0o700);
  const file = passwordFile(dataDir, user.name);
  if (password !== undefined || !existsSync(file))
    writePrivateFile(file, `${password ?? newPassword()}\n`);
  writeList(dataDir, [...others, user]);
  return file;
}

/** @throws invalid_option if there is no user of that name */
export function removeTeamUser(dataDir: string, name: string): void {
  const users = readTeamUsers(dataDir);
  const others = users.filter((user) => user.name !== name);
  if (others.length === users.length)
    throw new BigtraceError(
      'invalid_option',
      `there is no user ${name}; \`bigtrace user list\` shows all users`,
    );
  writeList(dataDir, others);
  rmSync(passwordFile(dataDir, name), { force: true });
}

function writeList(dataDir: string, users: TeamUser[]): void {
  writePrivateFile(listFile(dataDir), `${JSON.stringify(users, null, 2)}\n`);
}

function listFile(dataDir: string): string {
  return join(dataDir, 'users', 'users.json');
}

function passwordFile(dataDir: string, name: string): string {
  return join(dataDir, 'users', `${name}.password`);
}

function checked(user: TeamUser): TeamUser {
  const { name, grants, queriesPerHour, secondsPerHour } = user;
  if (!NAME.test(name) || RESERVED.test(name))
    throw new BigtraceError(
      'invalid_option',
      `user name ${name} is invalid: use letters, digits and _, and none of the names of Bigtrace's own users`,
    );
  for (const grant of grants)
    if (grant !== WRITER_ROLE && !GRANT.test(grant))
      throw new BigtraceError(
        'invalid_option',
        `--grant ${grant} must have the form 'SELECT, INSERT ON reports.*', with privileges among ` +
          `${[...READING, ...WRITING].join(', ')}; or the role ${WRITER_ROLE}`,
      );
  for (const bound of [queriesPerHour, secondsPerHour])
    if (bound !== undefined && !(Number.isSafeInteger(bound) && bound > 0))
      throw new BigtraceError(
        'invalid_option',
        `the quotas of user ${name} must be positive integers`,
      );
  return user;
}

/** Content of a users.d file. It contains no secret: the password hashes come from the environment. */
export function teamUsersXml(users: readonly TeamUser[]): string {
  return `<clickhouse>
  <quotas>
${users.map(quotaXml).join('')}  </quotas>
  <users>
${users.map(userXml).join('')}  </users>
</clickhouse>
`;
}

function quotaXml({ name, queriesPerHour, secondsPerHour }: TeamUser): string {
  const bounds = [
    queriesPerHour === undefined ? '' : `<queries>${queriesPerHour}</queries>`,
    secondsPerHour === undefined ? '' : `<execution_time>${secondsPerHour}</execution_time>`,
  ];
  return `    <user_${name}><interval><duration>3600</duration>${bounds.join('')}</interval></user_${name}>\n`;
}

function userXml({ name, grants }: TeamUser): string {
  const writes = grants.some((grant) => !/^(SELECT|SHOW)(, (SELECT|SHOW))* ON/.test(grant));
  const engines = writes ? ['TABLE ENGINE ON MergeTree'] : [];
  const queries = [READER_ROLE, ...grants, ...engines].map(
    (grant) => `<query>GRANT ${grant}</query>`,
  );
  return `    <${name} replace="replace">
      <password_sha256_hex from_env="${hashVariable(name)}"/>
      <networks><ip>::/0</ip></networks>
      <profile>${writes ? 'bigtrace_backend' : 'bigtrace_analyst'}</profile>
      <quota>user_${name}</quota>
      <default_database>bigtrace</default_database>
      <grants>${queries.join('')}</grants>
      <databases>
        <system><processes><filter>user = authenticatedUser()</filter></processes></system>
      </databases>
    </${name}>
`;
}

export function teamUserVariables(
  dataDir: string,
  users: readonly TeamUser[],
): Record<string, string> {
  const hash = ({ name }: TeamUser): string => hashOf(readPassword(passwordFile(dataDir, name)));
  return Object.fromEntries(users.map((user) => [hashVariable(user.name), hash(user)]));
}

function hashVariable(name: string): string {
  return `BIGTRACE_USER_${name}_SHA256`;
}
